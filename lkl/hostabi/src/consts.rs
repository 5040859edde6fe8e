//! Numbers that both sides use. The C header carries them as `LKL_*`.

macro_rules! consts {
    ($($(#[doc = $doc:literal])* $name:ident: u32 = $value:expr;)*) => {
        $($(#[doc = $doc])* pub const $name: u32 = $value;)*
        /// Every constant, for the C header.
        pub const ALL: &[(&str, u32, &[&str])] = &[$((stringify!($name), $value, &[$($doc),*])),*];
    };
}

consts! {
    /// Interrupt lines: bits of the pending word.
    IRQ_TIMER: u32 = 0;
    /// A stream changed state: see `stream_event`.
    IRQ_STREAM: u32 = 1;
    /// The host has work for the job thread: see `job_next`.
    IRQ_JOB: u32 = 2;
    /// The host asks for an orderly power-off.
    IRQ_POWER: u32 = 3;
    /// The kernel's own: soft interrupts are to run when interrupts are enabled.
    IRQ_SOFT: u32 = 4;

    /// Kernel address of the pending word. It lies in the otherwise
    /// inaccessible first 64 KiB; natively its page is shared with every
    /// process's safepoint flag.
    PENDING_ADDR: u32 = 0xf000;
    /// First byte of the kernel's own data; below it only the pending page.
    GLOBAL_BASE: u32 = 0x10000;

    /// `task_new` kinds: a kernel thread has no user side.
    TASK_KERNEL: u32 = 0;
    /// A copy of the calling task's user frames (fork, vfork).
    TASK_FORK: u32 = 1;
    /// A new user stack that starts in `__wasm_thread_start`.
    TASK_THREAD: u32 = 2;

    /// Page protection for `mm_map`, `mm_protect`, `mm_copy`: as PROT_*.
    PROT_NONE: u32 = 0;
    PROT_READ: u32 = 1;
    PROT_WRITE: u32 = 2;

    /// `mm_features`: an access to a page that is not mapped comes to
    /// `lkl_user_fault`, so that pages may be mapped when they are touched.
    /// Without, a process's memory reaches from 0 to the last page that was ever
    /// mapped, and only an access behind that faults.
    MM_FAULTS: u32 = 1;
    /// `mm_share` works.
    MM_SHARES: u32 = 2;

    /// `lkl_user_fault`: no access to memory (a trap), or which.
    FAULT_TRAP: u32 = 0;
    FAULT_READ: u32 = 1;
    FAULT_WRITE: u32 = 2;

    /// `halt` kinds.
    HALT_HALT: u32 = 0;
    HALT_POWER_OFF: u32 = 1;
    HALT_RESTART: u32 = 2;
    /// Asked for with the parameter `lkl.image`: the kernel's memory is an image that
    /// `lkl_resume` goes on from.
    HALT_IMAGE: u32 = 3;

    /// `stream_poll` bits.
    STREAM_READABLE: u32 = 1;
    STREAM_WRITABLE: u32 = 2;
    /// The other side reads no more: a write gives EPIPE.
    STREAM_BROKEN: u32 = 4;
    /// Window size changed: see `stream_winsize`.
    STREAM_RESIZED: u32 = 8;

    /// `disk_features`: it cannot be written.
    DISK_READ_ONLY: u32 = 1;
    /// Most bytes of one `disk_transfer`.
    DISK_TRANSFER: u32 = 1048576;
    /// Most disks of a machine.
    DISKS: u32 = 8;

    /// `trace` events. A system call begins: `from` is its six 64-bit arguments.
    TRACE_ENTER: u32 = 0;
    /// It has returned `ret`; `nr` and `from` as at its beginning.
    TRACE_LEAVE: u32 = 1;
    /// Signal `nr` is taken; `from` is its siginfo of `ret` bytes.
    TRACE_SIGNAL: u32 = 2;
    /// The task ends with wait status `ret`.
    TRACE_EXIT: u32 = 3;
    /// A job's program was executed, or was not (`ret`); `from` is its path.
    TRACE_EXEC: u32 = 4;

    /// Limits in `job_exit`'s status, from bit 16: wall or CPU time, memory.
    JOB_OVER_TIME: u32 = 1;
    JOB_OVER_MEMORY: u32 = 2;

    /// Lowest address of a process's data; everything below faults.
    USER_BASE: u32 = 0x10000;
    /// The highest `mm_end`: the last 64 KiB are never mapped.
    USER_END: u32 = 0xffff0000;
}
