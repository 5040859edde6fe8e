//! The host operations, checked against the interface definition: a trait with
//! one method for each, and the C functions that the kernel's code calls.
//!
//! Whatever the kernel passes is untrusted too: an address is 32 bit and a
//! length at most 4 GiB, so that nothing reaches beyond the kernel's own
//! reservation, and a bad one faults and ends the machine.

use std::time::{SystemTime, UNIX_EPOCH};

use hostabi::consts::{
    HALT_POWER_OFF, HALT_RESTART, MM_FAULTS, MM_SHARES, TASK_FORK, TASK_THREAD, TRACE_ENTER,
    TRACE_EXEC, TRACE_EXIT, TRACE_LEAVE, TRACE_SIGNAL, USER_END,
};

use super::cpu::{self, Cpu};
use super::kernel::rust_type;
use super::layout::{Head, CTX_SIZE};
use super::mm::MmHandle;
use super::task::{Upcall, UPCALL_SIGNAL, UPCALL_START};
use super::{asm, fault, image, unwind, user, Disk, Errno, Outcome};
use crate::trace::{self, Event};

const EAGAIN: Errno = -11;
const ENOMEM: Errno = -12;
const ENXIO: Errno = -6;
const ENOEXEC: Errno = -8;
const EINVAL: Errno = -22;

macro_rules! host_ops {
    ($($kind:ident $name:ident($($p:ident: $t:ident),*) $(-> $r:ident)?;)*) => {
        $(host_ops!(@op $kind $name($($p: $t),*) $(-> $r)?);)*
    };
    (@op inline $($rest:tt)*) => {};
    (@op call $name:ident($($p:ident: $t:ident),*) -> never) => {
        #[doc(hidden)]
        #[export_name = concat!("host_", stringify!($name))]
        unsafe extern "C" fn $name(kernel: *mut Head, $($p: rust_type!($t)),*) {
            // SAFETY: the context names its CPU, which outlives its code.
            unsafe { &*(*kernel).host.cast::<Cpu>() }.$name($($p),*)
        }
    };
    (@op call $name:ident($($p:ident: $t:ident),*) $(-> $r:ident)?) => {
        #[doc(hidden)]
        #[export_name = concat!("host_", stringify!($name))]
        unsafe extern "C" fn $name(kernel: *mut Head, $($p: rust_type!($t)),*) $(-> rust_type!($r))? {
            // SAFETY: the context names its CPU, which outlives its code.
            unsafe { &*(*kernel).host.cast::<Cpu>() }.$name($($p),*)
        }
    };
}

hostabi::for_each_host_op!(host_ops);

/// A trap in kernel code: what a processor calls an exception in kernel mode.
#[export_name = "w2c_trap"]
extern "C" fn kernel_trap(code: u32) -> ! {
    let cpu = cpu::this().expect("kernel code runs on a CPU");
    fault::kernel_bug(cpu, &format!("trap {code}"))
}

impl Cpu {
    /// A buffer in kernel memory, for the length of one host operation.
    #[allow(clippy::mut_from_ref)] // the memory is the kernel's, which waits
    fn bytes(&self, at: u32, len: u32) -> &mut [u8] {
        let at = self.memory.data().wrapping_add(at as usize);
        // SAFETY: inside the reservation; the kernel does not run meanwhile. A
        // page that is not mapped faults and ends the machine.
        unsafe { std::slice::from_raw_parts_mut(at, len as usize) }
    }

    fn print(&self, text: u32, len: u32) {
        self.devices.kernel_log(self.bytes(text, len));
    }

    fn panic(&self) {
        fault::panic_with_backtrace(self, None)
    }

    fn halt(&self, kind: u32) {
        self.leave(match kind {
            HALT_POWER_OFF => Outcome::PowerOff,
            HALT_RESTART => Outcome::Restart,
            _ => Outcome::Halt,
        })
    }

    fn clock_ns(&self) -> u64 {
        self.irqs.now()
    }

    fn sched_ns(&self) -> u64 {
        self.irqs.now()
    }

    /// Other threads raise interrupts at any time.
    fn irq_poll(&self) {}

    fn realtime_ns(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64)
    }

    fn stolen_ns(&self) -> u64 {
        self.stolen.look(self.irqs.now())
    }

    fn timer_set(&self, delta: u64) {
        self.irqs.set_timer(delta);
    }

    fn timer_stop(&self) {
        self.irqs.stop_timer();
    }

    fn idle(&self) {
        if self.irqs.wait() {
            self.stolen.forget(self.irqs.now());
        }
    }

    fn irq_take(&self) -> u32 {
        if self.irqs.stopping() {
            self.leave(Outcome::Stopped);
        }
        self.irqs.take()
    }

    fn irq_raise(&self, irq: u32) {
        self.irqs.raise(irq & 31);
    }

    fn random(&self, buf: u32, len: u32) {
        let buf = self.bytes(buf, len);
        let mut done = 0;
        while done < buf.len() {
            // SAFETY: the buffer is ours to write.
            let n =
                unsafe { libc::getrandom(buf[done..].as_mut_ptr().cast(), buf.len() - done, 0) };
            if n < 0 && std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
                self.leave(Outcome::Host("the host gives no random numbers".into()));
            }
            done += n.max(0) as usize;
        }
    }

    fn task_new(
        &self,
        kernel_task: u32,
        kstack: u32,
        kind: u32,
        mm: i32,
        user_sp: u32,
        tls: u32,
    ) -> i32 {
        let Some((handle, task)) = self.add_task(kernel_task, kstack, kind) else {
            return EAGAIN;
        };
        let parent = self.current();
        // SAFETY: both tasks are alive; the parent is in a kernel entry, so its
        // user frames stand still.
        unsafe {
            (*task).mm = MmHandle(mm);
            let below = match kind {
                TASK_FORK => {
                    if self.fork_user(&mut *parent, &mut *task).is_none() {
                        self.tasks.borrow_mut().remove(handle);
                        return EAGAIN;
                    }
                    (*task).user_frames
                }
                TASK_THREAD => {
                    let image = self.share_program((*parent).mm, (*task).mm);
                    if image.is_none_or(|i| i.thread_start == 0) {
                        // A program without threads has nowhere to start one.
                        self.tasks.borrow_mut().remove(handle);
                        return EINVAL;
                    }
                    (*task).user_sp = user_sp;
                    (*task).user_tls = tls;
                    (*task).top - user::THREAD_ROOM
                }
                _ => (*task).top,
            };
            user::prepare_task(task, below);
        }
        handle as i32
    }

    /// The child's side of a fork: user frames, thread state and, when it has
    /// its own memory, the program's globals.
    unsafe fn fork_user(
        &self,
        parent: &mut super::task::Task,
        child: &mut super::task::Task,
    ) -> Option<()> {
        let len = parent.top - parent.user_frames;
        let to = child.top - len;
        if parent.stack.yellow_is_open() {
            child.stack.open_yellow();
            child.limit = child.stack.limit();
        }
        // SAFETY: the parent's frames are mapped; the child's stack is as large.
        unsafe {
            std::ptr::copy_nonoverlapping(parent.user_frames as *const u8, to as *mut u8, len);
            let from = self.head(parent.mm)?;
            self.share_program(parent.mm, child.mm)?;
            child.user_frames = to;
            child.user_sp = (*from).stack_pointer;
            child.user_tls = (*from).tls_base;
            child.jump_depth = (*from).jump_depth;
            child.jumps = parent.jumps.clone();
        }
        Some(())
    }

    /// The program that a new task runs. A memory of the task's own gets the
    /// parent's globals.
    unsafe fn share_program(&self, from: MmHandle, to: MmHandle) -> Option<&'static image::Image> {
        let mut memories = self.memories.borrow_mut();
        let image = memories.get(from)?.image?;
        if from == to {
            return Some(image);
        }
        let (parent, child) = (memories.head(from)?, memories.head(to)?);
        let size = std::mem::size_of::<Head>();
        // SAFETY: two live contexts, of which the child's is not in use yet.
        unsafe {
            let (a, b) = (parent.cast::<u8>(), child.cast::<u8>());
            std::ptr::copy_nonoverlapping(a.add(size), b.add(size), CTX_SIZE - size);
            (*child).pages = (*parent).pages;
            (*child).max_pages = (*parent).max_pages;
        }
        memories.get_mut(to)?.image = Some(image);
        Some(image)
    }

    fn task_free(&self, task: i32) {
        self.tasks.borrow_mut().remove(task as u32);
    }

    fn switch(&self, prev: i32, next: i32) -> i32 {
        let tasks = self.tasks.borrow();
        let (Some(prev), Some(next)) = (tasks.get(prev as u32), tasks.get(next as u32)) else {
            drop(tasks);
            fault::kernel_bug(self, "switch to a task that does not exist");
        };
        drop(tasks);
        self.switch_tasks(prev, next);
        0
    }

    fn mm_new(&self) -> i32 {
        self.new_memory().map_or(ENOMEM, |mm| mm.0)
    }

    fn mm_free(&self, mm: i32) {
        self.memories.borrow_mut().remove(MmHandle(mm));
    }

    fn mm_activate(&self, mm: i32) {
        self.activate(MmHandle(mm));
    }

    fn with_mm(&self, mm: i32, f: impl FnOnce(&super::mm::Memory) -> bool) -> i32 {
        match self.memories.borrow().get(MmHandle(mm)) {
            Some(process) if f(&process.memory) => 0,
            Some(_) => ENOMEM,
            None => EINVAL,
        }
    }

    fn mm_features(&self) -> u32 {
        MM_FAULTS | MM_SHARES
    }

    fn mm_end(&self) -> u32 {
        USER_END
    }

    fn mm_share(&self, mm: i32, addr: u32, pages: u32, len: u32, prot: u32) -> i32 {
        self.with_mm(mm, |m| m.share(addr, len, prot, &self.pages, pages))
    }

    fn mm_map(&self, mm: i32, addr: u32, len: u32, prot: u32) -> i32 {
        self.with_mm(mm, |m| m.map(addr, len, prot))
    }

    fn mm_unmap(&self, mm: i32, addr: u32, len: u32) {
        self.with_mm(mm, |m| m.unmap(addr, len));
    }

    fn mm_protect(&self, mm: i32, addr: u32, len: u32, prot: u32) -> i32 {
        self.with_mm(mm, |m| m.protect(addr, len, prot))
    }

    fn mm_move(&self, mm: i32, from: u32, to: u32, len: u32, prot: u32) -> i32 {
        self.with_mm(mm, |m| m.relocate(from, to, len, prot))
    }

    fn mm_copy(&self, from: i32, to: i32, addr: u32, len: u32, prot: u32) -> i32 {
        let memories = self.memories.borrow();
        let (Some(from), Some(to)) = (memories.get(MmHandle(from)), memories.get(MmHandle(to)))
        else {
            return EINVAL;
        };
        if to.memory.copy_from(&from.memory, addr, len, prot) {
            0
        } else {
            ENOMEM
        }
    }

    fn mm_access(&self, mm: i32, addr: u32, buf: u32, len: u32, write: u32) -> u32 {
        let memories = self.memories.borrow();
        let Some(process) = memories.get(MmHandle(mm)) else { return len };
        let user = process.memory.data().wrapping_add(addr as usize);
        let kernel = self.memory.data().wrapping_add(buf as usize);
        // SAFETY: `wl_copy` stops at the first byte that is not mapped.
        let left = unsafe {
            if write != 0 {
                asm::wl_copy(user, kernel, len as usize)
            } else {
                asm::wl_copy(kernel, user, len as usize)
            }
        };
        left as u32
    }

    fn image_find(&self, build_id: u32) -> i32 {
        let mut id = image::BuildId::default();
        id.copy_from_slice(self.bytes(build_id, 32));
        image::find(&id).map_or(ENOEXEC, |handle| handle as i32)
    }

    fn image_load(&self, mm: i32, handle: i32) -> i32 {
        let mm = MmHandle(mm);
        let Some(image) = image::get(handle as u32) else { return ENOEXEC };
        let Some(head) = self.head(mm) else { return EINVAL };
        // SAFETY: a live process memory; its data range is mapped by the kernel
        // before, and where it is not, loading fails.
        unsafe {
            (*head).pages = MAX_PAGES;
            (*head).max_pages = MAX_PAGES;
            if !image.load(head) {
                return ENOEXEC;
            }
            (*self.current()).mm = mm;
            // The kernel entry that loads it returns through this context.
            (*head).task = self.current();
        }
        if let Some(process) = self.memories.borrow_mut().get_mut(mm) {
            process.image = Some(image);
        }
        0
    }

    fn user_start(&self, sp: u32) {
        // SAFETY: the current task is alive.
        let task = unsafe { &mut *self.current() };
        task.upcall = UPCALL_START;
        task.upcall_args.sp = sp;
    }

    fn user_signal(&self, handler: u32, sig: u32, info: u32, ctx: u32, sp: u32, siginfo: u32) {
        // SAFETY: the current task is alive.
        let task = unsafe { &mut *self.current() };
        let memories = self.memories.borrow();
        let entry = memories.get(task.mm).and_then(|p| p.image).map_or(0, |i| i.signal);
        if entry == 0 {
            // The program cannot run handlers: nothing to return to either.
            return;
        }
        task.upcall = UPCALL_SIGNAL;
        task.upcall_args = Upcall { entry, handler, sig, info, ctx, sp, siginfo };
    }

    fn current_head(&self) -> Option<*mut Head> {
        // SAFETY: the current task is alive.
        self.head(unsafe { (*self.current()).mm })
    }

    fn user_sp(&self) -> u32 {
        // SAFETY: a live process's context.
        self.current_head().map_or(0, |h| unsafe { (*h).stack_pointer })
    }

    fn user_tls(&self) -> u32 {
        // SAFETY: as above.
        self.current_head().map_or(0, |h| unsafe { (*h).tls_base })
    }

    fn strncpy_from_user(&self, to: u32, from: u32, len: u32) -> i32 {
        // SAFETY: %gs is the current process's memory; a fault ends the copy.
        unsafe { asm::wl_strncpy_user(self.memory.data().wrapping_add(to as usize), from, len) }
    }

    fn strnlen_user(&self, from: u32, len: u32) -> i32 {
        // SAFETY: as above.
        unsafe { asm::wl_strnlen_user(from, len) }
    }

    fn stream_read(&self, stream: u32, buf: u32, len: u32) -> i32 {
        self.devices.stream_read(stream, self.bytes(buf, len)).map_or_else(|e| e, |n| n as i32)
    }

    fn stream_write(&self, stream: u32, buf: u32, len: u32) -> i32 {
        self.devices.stream_write(stream, self.bytes(buf, len)).map_or_else(|e| e, |n| n as i32)
    }

    fn stream_poll(&self, stream: u32) -> u32 {
        self.devices.stream_poll(stream)
    }

    fn stream_winsize(&self, stream: u32) -> u32 {
        let (rows, columns) = self.devices.stream_winsize(stream);
        u32::from(rows) << 16 | u32::from(columns)
    }

    fn stream_end(&self, stream: u32) {
        self.devices.stream_end(stream);
    }

    fn stream_close(&self, stream: u32) {
        self.devices.stream_close(stream);
    }

    fn stream_event(&self) -> i32 {
        self.devices.stream_event().map_or(-1, |stream| stream as i32)
    }

    fn disk(&self, disk: u32) -> Result<&dyn Disk, Errno> {
        self.disks.get(disk as usize).map(|disk| &**disk).ok_or(ENXIO)
    }

    fn disk_sectors(&self, disk: u32) -> u32 {
        self.disk(disk).map_or(0, |disk| disk.sectors())
    }

    fn disk_features(&self, disk: u32) -> u32 {
        self.disk(disk).map_or(0, |disk| disk.features())
    }

    fn disk_transfer(&self, disk: u32, write: u32, sector: u32, parts: u32, count: u32) -> i32 {
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        let list = &*self.bytes(parts, count * DISK_PART);
        let list = list.chunks_exact(DISK_PART as usize);
        let mut parts = list.map(|part| self.bytes(word(&part[..4]), word(&part[4..])));
        let done = self.disk(disk).and_then(|disk| match write {
            0 => disk.read(sector, &mut parts),
            _ => disk.write(sector, &mut parts),
        });
        done.map_or_else(|errno| errno, |()| 0)
    }

    fn disk_flush(&self, disk: u32) -> i32 {
        self.disk(disk).and_then(|disk| disk.flush()).map_or_else(|errno| errno, |()| 0)
    }

    fn job_next(&self, buf: u32, len: u32) -> i32 {
        match self.devices.job_next(len as usize) {
            None => 0,
            Some(Err(errno)) => errno,
            Some(Ok(request)) => {
                self.bytes(buf, request.len() as u32).copy_from_slice(&request);
                request.len() as i32
            }
        }
    }

    fn job_started(&self, job: u32, pid: u32) {
        self.devices.job_started(job, pid);
    }

    fn job_exit(&self, job: u32, status: i32) {
        self.devices.job_exit(job, if status < 0 { Err(status) } else { Ok(status) });
    }

    fn trace(&self, event: u32, pid: u32, nr: i32, ret: i32, from: u32) {
        let args = || {
            let mut args = [0; 6];
            for (arg, bytes) in args.iter_mut().zip(self.bytes(from, 48).chunks_exact(8)) {
                *arg = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
            }
            args
        };
        let event = match event {
            TRACE_ENTER => Event::Enter { number: nr, args: args() },
            TRACE_LEAVE => Event::Leave { number: nr, args: args(), result: ret },
            TRACE_SIGNAL => Event::Signal(self.bytes(from, (ret as u32).min(SIGINFO))),
            TRACE_EXIT => Event::Exit(ret),
            TRACE_EXEC => {
                let path = trace::memory::string(&KernelMemory(self), from).unwrap_or_default();
                return self.devices.trace(
                    pid,
                    &Event::Exec { path: &path, result: ret },
                    &UserMemory(self),
                );
            }
            _ => return,
        };
        self.devices.trace(pid, &event, &UserMemory(self));
    }

    fn backtrace(&self, task: i32, program: u32, buf: u32, len: u32) -> u32 {
        let Some(task) = self.tasks.borrow().get(task as u32) else { return 0 };
        // SAFETY: a live task; its frames stand still while the kernel calls.
        let names = unsafe {
            match program {
                0 if task == self.current() => {
                    // The function that asks is not what is asked for.
                    unwind::kernel(&*task, None).into_iter().skip(1).collect()
                }
                0 => unwind::kernel(&*task, Some(unwind::State::switched_out(&*task))),
                _ => unwind::program(&*task),
            }
        };
        let buf = self.bytes(buf, len);
        let mut at = 0;
        for name in names {
            let line = format!("{name}\n");
            let Some(room) = buf.get_mut(at..at + line.len()) else { break };
            room.copy_from_slice(line.as_bytes());
            at += line.len();
        }
        at as u32
    }

    fn ready(&self) {
        self.devices.ready();
    }

    fn shutting_down(&self) {
        self.devices.shutting_down();
    }
}

/// The current process's memory, for who traces it.
struct UserMemory<'a>(&'a Cpu);

impl trace::memory::Memory for UserMemory<'_> {
    fn read(&self, address: u32, to: &mut [u8]) -> usize {
        let memories = self.0.memories.borrow();
        // SAFETY: the current task is alive.
        let mm = unsafe { (*self.0.current()).mm };
        let Some(process) = memories.get(mm) else { return 0 };
        read_memory(&process.memory, address, to)
    }
}

/// The kernel's memory, for a string of which only the start is known.
struct KernelMemory<'a>(&'a Cpu);

impl trace::memory::Memory for KernelMemory<'_> {
    fn read(&self, address: u32, to: &mut [u8]) -> usize {
        read_memory(&self.0.memory, address, to)
    }
}

/// Copies what can be read; the bytes copied.
fn read_memory(memory: &super::mm::Memory, address: u32, to: &mut [u8]) -> usize {
    let from = memory.data().wrapping_add(address as usize);
    // SAFETY: `wl_copy` stops at the first byte that is not mapped.
    let left = unsafe { asm::wl_copy(to.as_mut_ptr(), from, to.len()) };
    to.len() - left
}

/// Bytes of a part of a disk transfer: an address and a length.
const DISK_PART: u32 = 8;
/// Bytes of the kernel's siginfo at most.
const SIGINFO: u32 = 128;
/// A process may touch every page that the kernel maps for it.
const MAX_PAGES: u32 = 65536;
