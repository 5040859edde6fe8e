//! One machine's CPU: everything that the thread which runs the guest owns.
//!
//! Only that thread touches a `Cpu`, but it does so from many stacks: a host op
//! may switch away in its middle. So state is in cells, borrows end before a
//! switch, and nothing here is `&mut`.

use std::cell::{Cell, RefCell};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::irq::Irqs;
use super::layout::{head_of, Head, Ops};
use super::mm::{Memories, Memory, MmHandle};
use super::steal::Stolen;
use super::task::{Task, Tasks, Upcall, UPCALL_NONE};
use super::{asm, gs, Devices, Disk, Outcome};
use hostabi::consts::TASK_KERNEL;

/// See the module's text.
pub struct Cpu {
    pub irqs: Arc<Irqs>,
    pub devices: Arc<dyn Devices>,
    pub disks: Vec<Box<dyn Disk>>,
    pub kernel: *mut Head,
    pub memory: Memory,
    /// What the kernel's memory consists of: page n of it is page n of this.
    pub pages: OwnedFd,
    pub tasks: RefCell<Tasks>,
    pub memories: RefCell<Memories>,
    pub current: Cell<*mut Task>,
    /// The memory that %gs means.
    pub active: Cell<MmHandle>,
    /// What of the time the host ran something else.
    pub stolen: Stolen,
    /// Number of the last state that a setjmp has noted.
    pub jumps: Cell<u64>,
    /// Where `leave` goes on: the stack `enter` was called on.
    outside: Cell<usize>,
    outcome: RefCell<Option<Outcome>>,
}

thread_local! {
    /// The CPU this thread runs, for the fault handler.
    static THIS: Cell<*const Cpu> = const { Cell::new(std::ptr::null()) };
}

/// The CPU that the calling thread runs, if it runs one.
pub fn this() -> Option<&'static Cpu> {
    // SAFETY: null, or set while `enter` runs on this thread with the CPU alive.
    unsafe { THIS.get().as_ref() }
}

impl Cpu {
    pub fn new(
        irqs: Arc<Irqs>,
        devices: Arc<dyn Devices>,
        disks: Vec<Box<dyn Disk>>,
        memory: Memory,
        pages: OwnedFd,
    ) -> std::io::Result<Box<Cpu>> {
        let kernel = head_of(memory.data());
        let cpu = Box::new(Cpu {
            irqs,
            devices,
            disks,
            kernel,
            memory,
            pages,
            tasks: RefCell::default(),
            memories: RefCell::default(),
            current: Cell::new(std::ptr::null_mut()),
            active: Cell::default(),
            stolen: Stolen::default(),
            jumps: Cell::new(0),
            outside: Cell::new(0),
            outcome: RefCell::new(None),
        });
        // SAFETY: the context is mapped and nothing runs in it yet.
        unsafe { (*kernel).host = std::ptr::from_ref::<Cpu>(&cpu).cast_mut().cast() };
        Ok(cpu)
    }

    /// A task's host side, not yet run.
    pub fn add_task(&self, kernel_task: u32, kstack: u32, kind: u32) -> Option<(u32, *mut Task)> {
        let kernel = self.kernel;
        self.tasks.borrow_mut().insert(|stack| Task {
            sp: 0,
            user_frames: 0,
            limit: stack.limit(),
            top: stack.top(),
            kernel,
            upcall: UPCALL_NONE,
            kstack,
            in_kernel: 1,
            pad: 0,
            upcall_args: Upcall::default(),
            stack,
            kernel_task,
            mm: MmHandle::default(),
            user_sp: 0,
            user_tls: 0,
            jump_depth: 0,
            kind,
            jumps: Default::default(),
        })
    }

    /// Runs `body` on the boot task's stack until something calls `leave`.
    pub fn enter(&self, kstack: u32, body: extern "C" fn(*mut Task)) -> Outcome {
        let Some((_, boot)) = self.add_task(0, kstack, TASK_KERNEL) else {
            return Outcome::Host("cannot map a stack for the boot task".into());
        };
        // SAFETY: a fresh task on its own stack.
        unsafe { super::user::prepare_boot(boot, body) };
        self.current.set(boot);
        THIS.set(self);
        self.stolen.forget(self.irqs.now());
        let mut outside = 0usize;
        // SAFETY: `leave` comes back to this stack exactly once.
        unsafe {
            self.outside.set(std::ptr::from_mut(&mut outside) as usize);
            asm::wl_swap(&mut outside, (*boot).sp);
        }
        THIS.set(std::ptr::null());
        self.outcome.borrow_mut().take().unwrap_or(Outcome::Host("no outcome".into()))
    }

    /// Ends the machine: back to `enter`. Every task's frames are abandoned.
    pub fn leave(&self, outcome: Outcome) -> ! {
        *self.outcome.borrow_mut() = Some(outcome);
        let mut abandoned = 0usize;
        // SAFETY: `outside` points at the saved stack pointer of `enter`, whose
        // frame is alive while any task runs.
        unsafe { asm::wl_swap(&mut abandoned, *(self.outside.get() as *const usize)) };
        unreachable!("an abandoned task was resumed")
    }

    pub fn current(&self) -> *mut Task {
        self.current.get()
    }

    /// The context of a process memory, if it is still alive.
    pub fn head(&self, mm: MmHandle) -> Option<*mut Head> {
        self.memories.borrow().head(mm)
    }

    /// Stops `prev`, runs `next`.
    pub fn switch_tasks(&self, prev: *mut Task, next: *mut Task) {
        // SAFETY: the kernel switches between live tasks; contexts are looked up
        // by handle, so one that died with its process is not touched.
        unsafe {
            if let Some(head) = self.head((*prev).mm) {
                (*prev).user_sp = (*head).stack_pointer;
                (*prev).user_tls = (*head).tls_base;
                (*prev).jump_depth = (*head).jump_depth;
            }
            self.current.set(next);
            self.install(next);
            asm::wl_swap(&mut (*prev).sp, (*next).sp);
        }
    }

    /// Puts a task's thread state into its process's context.
    ///
    /// # Safety
    /// `task` is alive.
    pub unsafe fn install(&self, task: *mut Task) {
        // SAFETY: per contract; the context is alive if the handle is.
        unsafe {
            if let Some(head) = self.head((*task).mm) {
                (*head).task = task;
                (*head).stack_pointer = (*task).user_sp;
                (*head).tls_base = (*task).user_tls;
                (*head).jump_depth = (*task).jump_depth;
            }
        }
    }

    /// A new process memory with an empty context.
    pub fn new_memory(&self) -> Option<MmHandle> {
        let mut memories = self.memories.borrow_mut();
        let mm = memories.insert(self.irqs.page())?;
        let head = memories.head(mm)?;
        // SAFETY: a mapped context that no program uses yet.
        unsafe {
            (*head).mem = super::layout::memory_of(head);
            (*head).host = (*self.kernel).host;
            (*head).ops = Ops {
                syscall: asm::wl_syscall,
                fork: asm::wl_fork,
                vfork: asm::wl_vfork,
                setjmp: asm::wl_setjmp,
                longjmp: asm::wl_longjmp,
                trap: asm::wl_trap,
                safepoint: asm::wl_safepoint,
                spare: 0,
            };
        }
        Some(mm)
    }

    /// Makes `mm` what %gs means.
    pub fn activate(&self, mm: MmHandle) {
        if self.active.replace(mm) == mm {
            return;
        }
        if let Some(head) = self.head(mm) {
            // SAFETY: nothing but generated code uses %gs.
            unsafe { gs::set(super::layout::memory_of(head) as usize) };
        }
    }
}
