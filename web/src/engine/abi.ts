/** Generated from lkl/hostabi by `cargo run -p hostabi --bin lkl-host-ts`. Do not edit. */

/** Interrupt lines: bits of the pending word. */
export const IRQ_TIMER = 0x0;
/** A stream changed state: see `stream_event`. */
export const IRQ_STREAM = 0x1;
/** The host has work for the job thread: see `job_next`. */
export const IRQ_JOB = 0x2;
/** The host asks for an orderly power-off. */
export const IRQ_POWER = 0x3;
/** The kernel's own: soft interrupts are to run when interrupts are enabled. */
export const IRQ_SOFT = 0x4;
/**
 * Kernel address of the pending word. It lies in the otherwise
 * inaccessible first 64 KiB; natively its page is shared with every
 * process's safepoint flag.
 */
export const PENDING_ADDR = 0xf000;
/** First byte of the kernel's own data; below it only the pending page. */
export const GLOBAL_BASE = 0x10000;
/** `task_new` kinds: a kernel thread has no user side. */
export const TASK_KERNEL = 0x0;
/** A copy of the calling task's user frames (fork, vfork). */
export const TASK_FORK = 0x1;
/** A new user stack that starts in `__wasm_thread_start`. */
export const TASK_THREAD = 0x2;
/** Page protection for `mm_map`, `mm_protect`, `mm_copy`: as PROT_*. */
export const PROT_NONE = 0x0;
export const PROT_READ = 0x1;
export const PROT_WRITE = 0x2;
/**
 * `mm_features`: an access to a page that is not mapped comes to
 * `lkl_user_fault`, so that pages may be mapped when they are touched.
 * Without, a process's memory reaches from 0 to the last page that was ever
 * mapped, and only an access behind that faults.
 */
export const MM_FAULTS = 0x1;
/** `mm_share` works. */
export const MM_SHARES = 0x2;
/** `lkl_user_fault`: no access to memory (a trap), or which. */
export const FAULT_TRAP = 0x0;
export const FAULT_READ = 0x1;
export const FAULT_WRITE = 0x2;
/** `halt` kinds. */
export const HALT_HALT = 0x0;
export const HALT_POWER_OFF = 0x1;
export const HALT_RESTART = 0x2;
/**
 * Asked for with the parameter `lkl.image`: the kernel's memory is an image that
 * `lkl_resume` goes on from.
 */
export const HALT_IMAGE = 0x3;
/** `stream_poll` bits. */
export const STREAM_READABLE = 0x1;
export const STREAM_WRITABLE = 0x2;
/** The other side reads no more: a write gives EPIPE. */
export const STREAM_BROKEN = 0x4;
/** Window size changed: see `stream_winsize`. */
export const STREAM_RESIZED = 0x8;
/** `disk_features`: it cannot be written. */
export const DISK_READ_ONLY = 0x1;
/** Most bytes of one `disk_transfer`. */
export const DISK_TRANSFER = 0x100000;
/** Most disks of a machine. */
export const DISKS = 0x8;
/** `trace` events. A system call begins: `from` is its six 64-bit arguments. */
export const TRACE_ENTER = 0x0;
/** It has returned `ret`; `nr` and `from` as at its beginning. */
export const TRACE_LEAVE = 0x1;
/** Signal `nr` is taken; `from` is its siginfo of `ret` bytes. */
export const TRACE_SIGNAL = 0x2;
/** The task ends with wait status `ret`. */
export const TRACE_EXIT = 0x3;
/** A job's program was executed, or was not (`ret`); `from` is its path. */
export const TRACE_EXEC = 0x4;
/** Limits in `job_exit`'s status, from bit 16: wall or CPU time, memory. */
export const JOB_OVER_TIME = 0x1;
export const JOB_OVER_MEMORY = 0x2;
/** Lowest address of a process's data; everything below faults. */
export const USER_BASE = 0x10000;
/** The highest `mm_end`: the last 64 KiB are never mapped. */
export const USER_END = 0xffff0000;

/** What the kernel imports. Integers come signed; addresses and lengths are unsigned. */
export interface HostOps {
  /** Appends to the kernel log. */
  print(text: number, len: number): void;
  /** The kernel panicked; its log has been printed. Ends the machine. */
  panic(): never;
  /** Orderly end of the machine (`LKL_HALT_*`). */
  halt(kind: number): never;
  /** Monotonic clock, ns. */
  clock_ns(): bigint;
  /** The same for the scheduler, which may be given what it was some calls ago. */
  sched_ns(): bigint;
  /** Wall clock, ns since 1970. */
  realtime_ns(): bigint;
  /**
   * For how long the CPU was kept from running though it was not idle, in
   * all, ns; 0 where the host has no clock of that.
   */
  stolen_ns(): bigint;
  /** Raise IRQ_TIMER once, `delta` ns from now; replaces an earlier call. */
  timer_set(delta: bigint): void;
  /** No timer interrupt is wanted. */
  timer_stop(): void;
  /** Returns when an interrupt is pending. */
  idle(): void;
  /** Atomically takes the pending word and leaves zero. */
  irq_take(): number;
  /**
   * The kernel runs on and waits for something that only an interrupt can
   * bring: a host that raises none meanwhile looks now. Returns soon.
   */
  irq_poll(): void;
  /** Atomically sets a line's bit in the pending word. */
  irq_raise(irq: number): void;
  /** Fills a buffer from the host's entropy source. */
  random(buf: number, len: number): void;
  /**
   * A host side for `task` (`LKL_TASK_*`): a handle > 0, or -EAGAIN when
   * the host has no stack for it. It first runs in `lkl_task_entry(task)`
   * on kernel stack `kstack`. FORK copies the caller's user frames.
   */
  task_new(
    task: number,
    kstack: number,
    kind: number,
    mm: number,
    userSp: number,
    tls: number,
  ): number;
  /** The task is dead and not running; frees its stack. */
  task_free(task: number): void;
  /**
   * Runs `next` until something switches back to `prev`. Non-zero: `prev`
   * is dead and its caller must trap (never natively).
   */
  switch(prev: number, next: number): number;
  /** A new, empty process memory: a handle > 0, or -ENOMEM. */
  mm_new(): number;
  mm_free(mm: number): void;
  /** `mm` becomes the current process's memory, which uaccess means. */
  mm_activate(mm: number): void;
  /** What the host can do with process memory: `LKL_MM_*` bits. */
  mm_features(): number;
  /**
   * End of every process's address space, at most `LKL_USER_END`: a
   * multiple of 64 KiB.
   */
  mm_end(): number;
  /**
   * Fresh zero pages, which have their memory at once; whatever was there
   * is gone.
   */
  mm_map(mm: number, addr: number, len: number, prot: number): number;
  /** Pages of the kernel's own memory, seen by the process too. */
  mm_share(mm: number, addr: number, pages: number, len: number, prot: number): number;
  mm_unmap(mm: number, addr: number, len: number): void;
  mm_protect(mm: number, addr: number, len: number, prot: number): number;
  /** Moves mapped pages to an address where nothing is mapped. */
  mm_move(mm: number, from: number, to: number, len: number, prot: number): number;
  /** Fork: copies mapped pages to the same address of another memory. */
  mm_copy(from: number, to: number, addr: number, len: number, prot: number): number;
  /**
   * Copies between kernel memory and any process's, as its page protection
   * allows; returns the bytes not copied.
   */
  mm_access(mm: number, addr: number, buf: number, len: number, write: number): number;
  /**
   * The ahead-of-time image with this 32-byte build id: a handle > 0, or
   * -ENOEXEC if the host has none.
   */
  image_find(buildId: number): number;
  /**
   * Writes an image's initial data to `mm` and makes it that memory's
   * program. 0 or -ENOEXEC.
   */
  image_load(mm: number, image: number): number;
  /**
   * After exec: when the current entry returns, the task's user frames
   * are dropped and the program starts with this stack pointer.
   */
  user_start(sp: number): void;
  /**
   * Deliver a signal: when the current entry returns, the program's
   * handler runs on `sp`; when that returns, sigreturn with `ctx`.
   */
  user_signal(
    handler: number,
    sig: number,
    info: number,
    ctx: number,
    sp: number,
    siginfo: number,
  ): void;
  /**
   * The current user stack pointer (`__stack_pointer`) and thread
   * pointer (`__tls_base`).
   */
  user_sp(): number;
  user_tls(): number;
  /** User access to the current process; returns the bytes not copied. */
  copy_from_user(to: number, from: number, len: number): number;
  copy_to_user(to: number, from: number, len: number): number;
  clear_user(to: number, len: number): number;
  /** Length without the NUL, `len` if there is none, or -EFAULT. */
  strncpy_from_user(to: number, from: number, len: number): number;
  /** Length with the NUL, more than `len` if there is none, 0 on a fault. */
  strnlen_user(from: number, len: number): number;
  /**
   * Streams carry bytes between host and guest. 0 is the end, -EAGAIN
   * nothing now (IRQ_STREAM follows), -EPIPE nobody reads.
   */
  stream_read(stream: number, buf: number, len: number): number;
  stream_write(stream: number, from: number, len: number): number;
  /** State of a stream (`LKL_STREAM_*`). */
  stream_poll(stream: number): number;
  /** Rows << 16 | columns. */
  stream_winsize(stream: number): number;
  /** The guest writes no more but still reads. */
  stream_end(stream: number): void;
  /** The guest has closed its last reference. */
  stream_close(stream: number): void;
  /** Next stream that changed state since it was last reported, or -1. */
  stream_event(): number;
  /** Size of a disk, in sectors of 512 bytes; 0: there is no such disk. */
  disk_sectors(disk: number): number;
  /** What a disk can do: `LKL_DISK_*` bits. */
  disk_features(disk: number): number;
  /**
   * Reads or writes whole sectors, from `sector` on: `parts` is `count` times
   * address and length in kernel memory, all together at most
   * `LKL_DISK_TRANSFER` bytes. 0, or -EIO, -ENOSPC.
   */
  disk_transfer(disk: number, write: number, sector: number, parts: number, count: number): number;
  /** What has been written is kept, whatever happens to the host. */
  disk_flush(disk: number): number;
  /**
   * Next job request, serialised as in `arch/lkl/kernel/job.c`: its
   * length, 0 when there is none, -E2BIG when `len` is too small.
   */
  job_next(buf: number, len: number): number;
  /** The job's program runs, as process `pid`. */
  job_started(job: number, pid: number): void;
  /**
   * The job ended: a wait status with, above its 16 bits, the limit that
   * ended it (`LKL_JOB_OVER_*`); or it could not be started (-errno).
   */
  job_exit(job: number, status: number): void;
  /** What a traced task does (`LKL_TRACE_*`). In the context of that task. */
  trace(event: number, pid: number, nr: number, ret: number, from: number): void;
  /**
   * Names of the functions that `task` is in, innermost first, a line
   * each: the kernel's, or its program's. Bytes written.
   */
  backtrace(task: number, program: number, buf: number, len: number): number;
  /** The guest's init has finished its boot scripts. */
  ready(): void;
  /** The guest's init is about to end every process and the machine. */
  shutting_down(): void;
}

/** What the kernel exports. */
export interface Entries {
  /** Where to write the NUL-terminated command line before `lkl_start`. */
  lkl_cmdline(): number;
  /** First free address after the kernel's data. */
  lkl_heap_base(): number;
  /** Top of the boot task's kernel stack. */
  lkl_init_sp(): number;
  /** Boots. `mem` is the size of memory in bytes; the initrd lies inside. */
  lkl_start(mem: number, initrd: number, initrdSize: number): never;
  /** End of the room for an initrd of at most 24 MiB, in an image. */
  lkl_room_end(): number;
  /**
   * Goes on from an image, in which the command line and the initrd have been
   * put into their places; the clock goes on from what it was then.
   */
  lkl_resume(initrd: number, initrdSize: number): never;
  /** First code of a new task. Returns when the task goes to user mode. */
  lkl_task_entry(task: number): void;
  /** A system call of the current task. */
  lkl_syscall(
    nr: number,
    a0: bigint,
    a1: bigint,
    a2: bigint,
    a3: bigint,
    a4: bigint,
    a5: bigint,
  ): number;
  /** A safepoint was reached with an interrupt pending. */
  lkl_user_poll(): void;
  /**
   * User code faulted: signal, si_code, si_addr. An access to memory
   * (`LKL_FAULT_*`) is made again when the kernel has mended it. SIGKILL:
   * its frames cannot go on, whatever the program does about SIGSEGV.
   */
  lkl_user_fault(sig: number, code: number, addr: number, access: number): void;
}
