/** Numbers of the interface between kernel and host. Generated from lkl/hostabi. Do not edit. */
// Interrupt lines: bits of the pending word.
export const IRQ_TIMER = 0;
// A stream changed state: see `stream_event`.
export const IRQ_STREAM = 1;
// The host has work for the job thread: see `job_next`.
export const IRQ_JOB = 2;
// The host asks for an orderly power-off.
export const IRQ_POWER = 3;
// Kernel address of the pending word. It lies in the otherwise
// inaccessible first 64 KiB; natively its page is shared with every
// process's safepoint flag.
export const PENDING_ADDR = 0xf000;
// First byte of the kernel's own data; below it only the pending page.
export const GLOBAL_BASE = 0x10000;
// `task_new` kinds: a kernel thread has no user side.
export const TASK_KERNEL = 0;
// A copy of the calling task's user frames (fork, vfork).
export const TASK_FORK = 1;
// A new user stack that starts in `__wasm_thread_start`.
export const TASK_THREAD = 2;
// Page protection for `mm_map`, `mm_protect`, `mm_copy`: as PROT_*.
export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
// `halt` kinds.
export const HALT_HALT = 0;
export const HALT_POWER_OFF = 1;
export const HALT_RESTART = 2;
// `stream_poll` bits.
export const STREAM_READABLE = 1;
export const STREAM_WRITABLE = 2;
// The other side reads no more: a write gives EPIPE.
export const STREAM_BROKEN = 4;
// Window size changed: see `stream_winsize`.
export const STREAM_RESIZED = 8;
// Lowest address of a process's data; everything below faults.
export const USER_BASE = 0x10000;
// End of a process's address space: the last 64 KiB are never mapped.
export const USER_END = 0xffff0000;
