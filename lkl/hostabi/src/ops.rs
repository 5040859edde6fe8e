//! The list.

use crate::{Op, Param, Ret, Ty};

macro_rules! ty {
    (i32) => {
        Ty::I32
    };
    (u32) => {
        Ty::U32
    };
    (u64) => {
        Ty::U64
    };
    (ptr) => {
        Ty::Ptr
    };
    (uptr) => {
        Ty::Uptr
    };
}

macro_rules! ret {
    () => {
        Ret::None
    };
    (never) => {
        Ret::Never
    };
    ($t:ident) => {
        Ret::Value(ty!($t))
    };
}

macro_rules! flag {
    (inline) => {
        true
    };
    (call) => {
        false
    };
}

macro_rules! abi {
    (
        host { $($(#[doc = $hd:literal])* $hk:ident $hn:ident($($hp:ident: $ht:ident),*) $(-> $hr:ident)?;)* }
        entries { $($(#[doc = $ed:literal])* $en:ident($($ep:ident: $et:ident),*) $(-> $er:ident)?;)* }
    ) => {
        /// Host operations, in the order of the list.
        pub const HOST_OPS: &[Op] = &[$(Op {
            name: stringify!($hn),
            doc: &[$($hd),*],
            params: &[$(Param { name: stringify!($hp), ty: ty!($ht) }),*],
            ret: ret!($($hr)?),
            inline: flag!($hk),
        }),*];

        /// Kernel entries, in the order of the list.
        pub const ENTRIES: &[Op] = &[$(Op {
            name: stringify!($en),
            doc: &[$($ed),*],
            params: &[$(Param { name: stringify!($ep), ty: ty!($et) }),*],
            ret: ret!($($er)?),
            inline: false,
        }),*];

        /// Calls `$m! { kind name(param: type, ...) -> result; ... }` with every
        /// host operation; `kind` is `call` or `inline`, a missing result `()`.
        #[macro_export]
        macro_rules! for_each_host_op {
            ($m:ident) => { $m! { $($hk $hn($($hp: $ht),*) $(-> $hr)?;)* } };
        }

        /// Calls `$m! { name(param: type, ...) -> result; ... }` with every entry.
        #[macro_export]
        macro_rules! for_each_entry {
            ($m:ident) => { $m! { $($en($($ep: $et),*) $(-> $er)?;)* } };
        }
    };
}

abi! {
    host {
        /// Appends to the kernel log.
        call print(text: ptr, len: u32);
        /// The kernel panicked; its log has been printed. Ends the machine.
        call panic() -> never;
        /// Orderly end of the machine (`LKL_HALT_*`).
        call halt(kind: u32) -> never;

        /// Monotonic clock, ns.
        call clock_ns() -> u64;
        /// The same for the scheduler, which may be given what it was some calls ago.
        call sched_ns() -> u64;
        /// Wall clock, ns since 1970.
        call realtime_ns() -> u64;
        /// For how long the CPU was kept from running though it was not idle, in
        /// all, ns; 0 where the host has no clock of that.
        call stolen_ns() -> u64;
        /// Raise IRQ_TIMER once, `delta` ns from now; replaces an earlier call.
        call timer_set(delta: u64);
        /// No timer interrupt is wanted.
        call timer_stop();
        /// Returns when an interrupt is pending.
        call idle();
        /// Atomically takes the pending word and leaves zero.
        call irq_take() -> u32;
        /// The kernel runs on and waits for something that only an interrupt can
        /// bring: a host that raises none meanwhile looks now. Returns soon.
        call irq_poll();
        /// Atomically sets a line's bit in the pending word.
        call irq_raise(irq: u32);
        /// Fills a buffer from the host's entropy source.
        call random(buf: ptr, len: u32);

        /// A host side for `task` (`LKL_TASK_*`): a handle > 0, or -EAGAIN when
        /// the host has no stack for it. It first runs in `lkl_task_entry(task)`
        /// on kernel stack `kstack`. FORK copies the caller's user frames.
        call task_new(task: ptr, kstack: u32, kind: u32, mm: i32, user_sp: uptr, tls: uptr) -> i32;
        /// The task is dead and not running; frees its stack.
        call task_free(task: i32);
        /// Runs `next` until something switches back to `prev`. Non-zero: `prev`
        /// is dead and its caller must trap (never natively).
        call switch(prev: i32, next: i32) -> i32;

        /// A new, empty process memory: a handle > 0, or -ENOMEM.
        call mm_new() -> i32;
        call mm_free(mm: i32);
        /// `mm` becomes the current process's memory, which uaccess means.
        call mm_activate(mm: i32);
        /// What the host can do with process memory: `LKL_MM_*` bits.
        call mm_features() -> u32;
        /// End of every process's address space, at most `LKL_USER_END`: a
        /// multiple of 64 KiB.
        call mm_end() -> u32;
        /// Fresh zero pages, which have their memory at once; whatever was there
        /// is gone.
        call mm_map(mm: i32, addr: uptr, len: u32, prot: u32) -> i32;
        /// Pages of the kernel's own memory, seen by the process too.
        call mm_share(mm: i32, addr: uptr, pages: ptr, len: u32, prot: u32) -> i32;
        call mm_unmap(mm: i32, addr: uptr, len: u32);
        call mm_protect(mm: i32, addr: uptr, len: u32, prot: u32) -> i32;
        /// Moves mapped pages to an address where nothing is mapped.
        call mm_move(mm: i32, from: uptr, to: uptr, len: u32, prot: u32) -> i32;
        /// Fork: copies mapped pages to the same address of another memory.
        call mm_copy(from: i32, to: i32, addr: uptr, len: u32, prot: u32) -> i32;
        /// Copies between kernel memory and any process's, as its page protection
        /// allows; returns the bytes not copied.
        call mm_access(mm: i32, addr: uptr, buf: ptr, len: u32, write: u32) -> u32;

        /// The ahead-of-time image with this 32-byte build id: a handle > 0, or
        /// -ENOEXEC if the host has none.
        call image_find(build_id: ptr) -> i32;
        /// Writes an image's initial data to `mm` and makes it that memory's
        /// program. 0 or -ENOEXEC.
        call image_load(mm: i32, image: i32) -> i32;
        /// After exec: when the current entry returns, the task's user frames
        /// are dropped and the program starts with this stack pointer.
        call user_start(sp: uptr);
        /// Deliver a signal: when the current entry returns, the program's
        /// handler runs on `sp`; when that returns, sigreturn with `ctx`.
        call user_signal(handler: uptr, sig: u32, info: uptr, ctx: uptr, sp: uptr, siginfo: u32);
        /// The current user stack pointer (`__stack_pointer`) and thread
        /// pointer (`__tls_base`).
        call user_sp() -> u32;
        call user_tls() -> u32;

        /// User access to the current process; returns the bytes not copied.
        inline copy_from_user(to: ptr, from: uptr, len: u32) -> u32;
        inline copy_to_user(to: uptr, from: ptr, len: u32) -> u32;
        inline clear_user(to: uptr, len: u32) -> u32;
        /// Length without the NUL, `len` if there is none, or -EFAULT.
        call strncpy_from_user(to: ptr, from: uptr, len: u32) -> i32;
        /// Length with the NUL, more than `len` if there is none, 0 on a fault.
        call strnlen_user(from: uptr, len: u32) -> i32;

        /// Streams carry bytes between host and guest. 0 is the end, -EAGAIN
        /// nothing now (IRQ_STREAM follows), -EPIPE nobody reads.
        call stream_read(stream: u32, buf: ptr, len: u32) -> i32;
        call stream_write(stream: u32, from: ptr, len: u32) -> i32;
        /// State of a stream (`LKL_STREAM_*`).
        call stream_poll(stream: u32) -> u32;
        /// Rows << 16 | columns.
        call stream_winsize(stream: u32) -> u32;
        /// The guest writes no more but still reads.
        call stream_end(stream: u32);
        /// The guest has closed its last reference.
        call stream_close(stream: u32);
        /// Next stream that changed state since it was last reported, or -1.
        call stream_event() -> i32;

        /// Size of a disk, in sectors of 512 bytes; 0: there is no such disk.
        call disk_sectors(disk: u32) -> u32;
        /// What a disk can do: `LKL_DISK_*` bits.
        call disk_features(disk: u32) -> u32;
        /// Reads or writes whole sectors, from `sector` on: `parts` is `count` times
        /// address and length in kernel memory, all together at most
        /// `LKL_DISK_TRANSFER` bytes. 0, or -EIO, -ENOSPC.
        call disk_transfer(disk: u32, write: u32, sector: u32, parts: ptr, count: u32) -> i32;
        /// What has been written is kept, whatever happens to the host.
        call disk_flush(disk: u32) -> i32;

        /// Next job request, serialised as in `arch/lkl/kernel/job.c`: its
        /// length, 0 when there is none, -E2BIG when `len` is too small.
        call job_next(buf: ptr, len: u32) -> i32;
        /// The job's program runs, as process `pid`.
        call job_started(job: u32, pid: u32);
        /// The job ended: a wait status with, above its 16 bits, the limit that
        /// ended it (`LKL_JOB_OVER_*`); or it could not be started (-errno).
        call job_exit(job: u32, status: i32);
        /// What a traced task does (`LKL_TRACE_*`). In the context of that task.
        call trace(event: u32, pid: u32, nr: i32, ret: i32, from: ptr);
        /// Names of the functions that `task` is in, innermost first, a line
        /// each: the kernel's, or its program's. Bytes written.
        call backtrace(task: i32, program: u32, buf: ptr, len: u32) -> u32;

        /// The guest's init has finished its boot scripts.
        call ready();
        /// The guest's init is about to end every process and the machine.
        call shutting_down();
    }

    entries {
        /// Where to write the NUL-terminated command line before `lkl_start`.
        lkl_cmdline() -> ptr;
        /// First free address after the kernel's data.
        lkl_heap_base() -> ptr;
        /// Top of the boot task's kernel stack.
        lkl_init_sp() -> ptr;
        /// Boots. `mem` is the size of memory in bytes; the initrd lies inside.
        lkl_start(mem: u32, initrd: ptr, initrd_size: u32) -> never;
        /// End of the room for an initrd of at most 24 MiB, in an image.
        lkl_room_end() -> ptr;
        /// Goes on from an image, in which the command line and the initrd have been
        /// put into their places; the clock goes on from what it was then.
        lkl_resume(initrd: ptr, initrd_size: u32) -> never;
        /// First code of a new task. Returns when the task goes to user mode.
        lkl_task_entry(task: ptr);
        /// A system call of the current task.
        lkl_syscall(nr: u32, a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64) -> i32;
        /// A safepoint was reached with an interrupt pending.
        lkl_user_poll();
        /// User code faulted: signal, si_code, si_addr. An access to memory
        /// (`LKL_FAULT_*`) is made again when the kernel has mended it. SIGKILL:
        /// its frames cannot go on, whatever the program does about SIGSEGV.
        lkl_user_fault(sig: u32, code: i32, addr: uptr, access: u32);
    }
}
