/**
 * A machine: the kernel, its tasks and the memories of its processes, in the
 * agent that made it.
 *
 * ```text
 *  Devices ◄── host ops ── kernel.wasm ◄── cpu.wat ◄── program.wasm
 *                 │             └── access.wat ── user.wat, program.wat ──┘
 *              Clock, Tasks, Memories, Programs
 * ```
 *
 * One task runs at a time. Host operations that suspend are `switch`, `idle`
 * and `breathe`; each other returns at once.
 */
import * as abi from "./abi.ts";
import { Clock } from "./clock.ts";
import type { Devices, Outcome } from "./devices.ts";
import { EAGAIN, EINVAL, ENOEXEC, ENOMEM } from "./errno.ts";
import { Forks } from "./forks.ts";
import { Memories } from "./memories.ts";
import { Programs } from "./programs.ts";
import { ROW, Slot } from "./rows.ts";
import { Task, Tasks, type Handler, type Upcall } from "./tasks.ts";
import { faultOf } from "./trap.ts";

/** The glue modules, compiled. */
export interface Glue {
  access: WebAssembly.Module;
  cpu: WebAssembly.Module;
  user: WebAssembly.Module;
  program: WebAssembly.Module;
}

export interface Options {
  kernel: WebAssembly.Module;
  glue: Glue;
  devices: Devices;
  programs: Programs;
  /** An initramfs: a cpio archive. */
  initrd: Uint8Array;
  /** Kernel parameters. */
  parameters: string;
  /** Memory of the kernel, in bytes: a multiple of 64 KiB. */
  kernelMemory: number;
  /** Memory of each process, in bytes: a multiple of 64 KiB. */
  processMemory: number;
}

interface KernelExports {
  __stack_pointer: WebAssembly.Global;
  lkl_cmdline(): number;
  lkl_init_sp(): number;
}

type UpcallGlobal = "upcall" | "handler" | "sig" | "info" | "ctx" | "sp" | "siginfo";

interface AccessExports extends Record<UpcallGlobal, WebAssembly.Global> {
  rows: WebAssembly.Table;
}

interface CpuExports {
  kstack: WebAssembly.Global;
  in_kernel: WebAssembly.Global;
  boot: WebAssembly.ExportValue;
  task_main: WebAssembly.ExportValue;
  task_fault: WebAssembly.ExportValue;
  restoring: WebAssembly.Global;
  syscall: WebAssembly.ExportValue;
  poll: WebAssembly.ExportValue;
  fork: WebAssembly.ExportValue;
  vfork: WebAssembly.ExportValue;
}

/** Thrown through the kernel's frames when the machine has ended. */
class Ended extends Error {}

const UPCALL_START = 1;
const UPCALL_SIGNAL = 2;

export class Machine {
  /** Settles when the machine has ended. */
  readonly outcome: Promise<Outcome>;
  private end!: (outcome: Outcome) => void;
  private ended = false;

  private readonly clock = new Clock();
  private readonly memory: WebAssembly.Memory;
  private readonly bytes: Uint8Array;
  private readonly pending: Int32Array;
  private readonly memories: Memories;
  private readonly access: AccessExports;
  private readonly cpu: CpuExports;
  private readonly imports: WebAssembly.ModuleImports;
  private readonly taskMain: (...args: number[]) => Promise<void>;
  private readonly taskFault: (...args: number[]) => Promise<void>;
  private readonly forks = new Forks();
  /** What an instrumented longjmp throws: its buffer and its value. */
  private readonly longjmp = new WebAssembly.Tag({ parameters: ["i32", "i32"] });
  /** Ends `idle` early. */
  private wake: (() => void) | undefined;
  private current: Task;
  private readonly tasks: Tasks;

  private readonly options: Options;

  constructor(options: Options) {
    this.options = options;
    this.outcome = new Promise((resolve) => (this.end = resolve));
    const pages = options.kernelMemory / 65536;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.bytes = new Uint8Array(this.memory.buffer);
    this.pending = new Int32Array(this.memory.buffer, abi.PENDING_ADDR, 1);
    this.clock.onTimer = () => this.raise(abi.IRQ_TIMER);

    const js = {
      clock_ns: () => this.clock.ns(),
      realtime_ns: () => this.clock.realtimeNs(),
      timer_set: (delta: number) => this.clock.setTimer(delta),
      check: () => (this.clock.check() ? 1 : 0),
      breathe: new WebAssembly.Suspending(() => this.clock.turn()),
      enter_user: () => this.enterUser(),
      split: (flags: number) => this.forks.split(this.current, flags),
      saved: () => this.forks.saved(this.current),
      cloned: (result: number) => this.forks.cloned(this.current, result),
      save_handler: (...handler: Handler) => this.current.handlers.push(handler),
      load_handler: () => this.loadHandler(),
    };
    this.access = new WebAssembly.Instance(options.glue.access, { js })
      .exports as unknown as AccessExports;
    const kernel = new WebAssembly.Instance(options.kernel, {
      env: { memory: this.memory },
      host: { ...this.access, ...this.hostOps() },
    }).exports;
    this.memories = new Memories(
      options.glue.user,
      this.memory,
      this.access.rows,
      options.processMemory,
    );
    this.cpu = new WebAssembly.Instance(options.glue.cpu, {
      js,
      kernel,
      access: this.access,
    }).exports as unknown as CpuExports;
    const { syscall, poll, fork, vfork } = this.cpu;
    this.imports = { syscall, poll, fork, vfork, longjmp: this.longjmp };
    const kstack = (kernel as unknown as KernelExports).lkl_init_sp();
    this.current = new Task(0, kstack, abi.TASK_KERNEL, undefined);
    this.tasks = new Tasks(this.current);
    this.taskMain = WebAssembly.promising(this.cpu.task_main);
    this.taskFault = WebAssembly.promising(this.cpu.task_fault);
    this.boot(kernel as unknown as KernelExports);
  }

  /** Raises an interrupt line of the kernel's. */
  raise(line: number): void {
    this.pending[0]! |= 1 << line;
    const wake = this.wake;
    this.wake = undefined;
    wake?.();
  }

  private boot(kernel: KernelExports): void {
    const { initrd, parameters, kernelMemory } = this.options;
    const at = (kernelMemory - initrd.length) & ~4095;
    this.bytes.set(initrd, at);
    this.bytes.set(new TextEncoder().encode(parameters + "\0"), kernel.lkl_cmdline());
    this.cpu.kstack.value = this.current.kstack;
    const boot = WebAssembly.promising(this.cpu.boot);
    boot(kernelMemory, at, initrd.length).catch((error) => this.trapped(error));
  }

  private slice(at: number, length: number): Uint8Array {
    return this.bytes.subarray(at >>> 0, (at >>> 0) + (length >>> 0));
  }

  private hostOps(): WebAssembly.ModuleImports {
    const { devices, programs } = this.options;
    return {
      print: (text: number, length: number) => devices.print(this.slice(text, length)),
      panic: () => this.finish({ kind: "panic" }),
      halt: (kind: number) =>
        this.finish({
          kind:
            kind === abi.HALT_POWER_OFF
              ? "power-off"
              : kind === abi.HALT_RESTART
                ? "restart"
                : "halt",
        }),
      timer_stop: () => this.clock.stopTimer(),
      idle: new WebAssembly.Suspending(() => this.idle()),
      irq_take: () => {
        const word = this.pending[0]!;
        this.pending[0] = 0;
        return word;
      },
      random: (at: number, length: number) => devices.random(this.slice(at, length)),

      task_new: (task: number, kstack: number, kind: number, mm: number, sp: number, tls: number) =>
        this.newTask(task, kstack, kind, mm, sp, tls),
      task_free: (task: number) => this.freeTask(task),
      switch: new WebAssembly.Suspending((_prev: number, next: number) => this.switchTo(next)),

      mm_new: () => this.memories.create()?.handle ?? -ENOMEM,
      mm_free: (mm: number) => this.memories.release(mm),
      mm_map: (mm: number, at: number, length: number) =>
        this.inMemory(mm, (memory) => memory.map(at >>> 0, length >>> 0)),
      mm_unmap: () => {},
      mm_protect: () => 0,
      mm_move: (mm: number, from: number, to: number, length: number) =>
        this.inMemory(mm, (memory) => memory.move(from >>> 0, to >>> 0, length >>> 0)),
      mm_copy: (from: number, to: number, at: number, length: number) =>
        this.copyMemory(from, to, at >>> 0, length >>> 0),
      mm_access: (mm: number, at: number, buffer: number, length: number, write: number) =>
        this.accessMemory(mm, at >>> 0, this.slice(buffer, length), write),
      mm_resident: (_mm: number, _at: number, length: number) => length,

      image_find: (id: number) => programs.find(this.slice(id, 32)) ?? -ENOEXEC,
      image_load: (mm: number, image: number) => this.loadImage(mm, image),

      stream_read: (stream: number, at: number, length: number) =>
        devices.streamRead(stream, this.slice(at, length)),
      stream_write: (stream: number, at: number, length: number) =>
        devices.streamWrite(stream, this.slice(at, length)),
      stream_poll: (stream: number) => devices.streamPoll(stream),
      stream_winsize: (stream: number) => devices.streamWinsize(stream),
      stream_close: (stream: number) => devices.streamClose(stream),
      stream_event: () => devices.streamEvent(),
      job_next: (at: number, length: number) => devices.jobNext(this.slice(at, length)),
      job_exit: (job: number, status: number) => devices.jobExit(job, status),
      ready: () => devices.ready(),
      shutting_down: () => devices.shuttingDown(),
    };
  }

  private finish(outcome: Outcome): never {
    if (!this.ended) {
      this.ended = true;
      this.end(outcome);
    }
    throw new Ended();
  }

  private idle(): Promise<void> | undefined {
    const woken = () => this.pending[0] !== 0;
    if (woken()) return undefined;
    return this.clock.sleep(woken, (wake) => (this.wake = wake));
  }

  // ---- tasks ----------------------------------------------------------------

  private newTask(
    kernelTask: number,
    kstack: number,
    kind: number,
    mm: number,
    sp: number,
    tls: number,
  ): number {
    const memory = this.memories.get(mm);
    const task = new Task(kernelTask, kstack, kind, memory);
    task.userSp = sp;
    task.userTls = tls;
    if (kind === abi.TASK_FORK && !this.forks.inherit(this.current, task)) return -EAGAIN;
    if (kind === abi.TASK_THREAD) task.entry = Slot.thread;
    if (memory) memory.tasks++;
    return this.tasks.add(task);
  }

  private freeTask(handle: number): void {
    const task = this.tasks.remove(handle);
    if (!task) return;
    task.dead = true;
    if (task.memory) task.memory.tasks--;
    task.resume?.(1);
  }

  private switchTo(handle: number): Promise<0 | 1> {
    const prev = this.current;
    const next = this.tasks.get(handle);
    if (!next) return Promise.reject(new Error("switch to a task that does not exist"));
    this.saveUser(prev);
    prev.upcall = this.takeUpcall();
    return new Promise((resolve) => {
      prev.resume = (dead) => {
        prev.resume = undefined;
        resolve(dead);
      };
      this.current = next;
      this.cpu.kstack.value = next.kstack;
      this.restoreUser(next);
      if (next.upcall) this.putUpcall(next.upcall);
      if (next.begun) {
        next.resume!(0);
      } else {
        next.begun = true;
        // On its own stack, not on that of the task that switches.
        queueMicrotask(() => this.run(next, () => this.taskMain(next.kernelTask)));
      }
    });
  }

  /** Threads of a process share an instance, so its globals are theirs in turn. */
  private saveUser(task: Task): void {
    const { memory } = task;
    if (!memory?.instance || memory.tasks < 2) return;
    task.userSp = memory.instance.ways.sp();
    task.userTls = memory.instance.ways.tls();
  }

  private restoreUser(task: Task): void {
    const { memory } = task;
    if (!memory?.instance || memory.tasks < 2) return;
    memory.instance.ways.set(task.userSp, task.userTls);
  }

  /** What the kernel has noted for the running task's return to user mode. */
  private takeUpcall(): Upcall | undefined {
    const { upcall, handler, sig, info, ctx, sp, siginfo } = this.access;
    const kind: number = upcall.value;
    if (!kind) return undefined;
    upcall.value = 0;
    return [kind, handler.value, sig.value, info.value, ctx.value, siginfo.value, sp.value];
  }

  private putUpcall(noted: Upcall): void {
    const { upcall, handler, sig, info, ctx, sp, siginfo } = this.access;
    [
      upcall.value,
      handler.value,
      sig.value,
      info.value,
      ctx.value,
      siginfo.value,
      sp.value,
    ] = noted;
  }

  private run(task: Task, body: () => Promise<void>): void {
    body().then(
      () => this.trapped(new Error("a task returned")),
      (error) => {
        if (!task.dead && !this.ended) this.trapped(error);
      },
    );
  }

  /** A trap has unwound the running task's stack. */
  private trapped(error: unknown): void {
    if (this.ended) return;
    if (this.cpu.in_kernel.value) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.ended = true;
      this.end({ kind: "crash", message });
      return;
    }
    const task = this.current;
    const { sig, code } = faultOf(error);
    this.cpu.restoring.value = 0;
    this.forks.forget(task);
    this.run(task, () => this.taskFault(sig, code, 0));
  }

  /** The current task is about to run user code: the slot to begin at. */
  private enterUser(): number {
    const task = this.current;
    const { memory } = task;
    if (!memory?.instance) throw new Error("a task goes to user mode without a program");
    const { instance } = memory;
    if (this.access.upcall.value === UPCALL_START) {
      this.access.upcall.value = 0;
      this.forks.forget(task);
      instance.ways.set(this.access.sp.value, 0);
      task.entry = Slot.start;
    } else if (task.frames) {
      // A child's first time here; a parent's globals have been kept.
      if (task.fresh) instance.ways.set(task.userSp, task.userTls);
      this.forks.restore(task);
      this.cpu.restoring.value = 1;
    } else {
      instance.ways.set(task.userSp, task.userTls);
    }
    task.fresh = false;
    this.cpu.in_kernel.value = 0;
    return memory.handle * ROW + task.entry;
  }

  private loadHandler(): void {
    const handler = this.current.handlers.pop();
    if (!handler) throw new Error("a program restores a handler that did not save itself");
    this.putUpcall([UPCALL_SIGNAL, ...handler]);
  }

  // ---- memories -------------------------------------------------------------

  private inMemory(mm: number, body: (memory: NonNullable<ReturnType<Memories["get"]>>) => boolean): number {
    const memory = this.memories.get(mm);
    if (!memory) return -EINVAL;
    return body(memory) ? 0 : -ENOMEM;
  }

  private copyMemory(fromHandle: number, toHandle: number, at: number, length: number): number {
    const from = this.memories.get(fromHandle);
    const to = this.memories.get(toHandle);
    if (!from?.instance || !to) return -EINVAL;
    if (!to.instance) {
      const program = from.instance.program;
      this.memories.install(to, program.attach(to, this.imports, this.options.glue.program));
    }
    return to.copy(from, at, length) ? 0 : -ENOMEM;
  }

  private accessMemory(mm: number, at: number, buffer: Uint8Array, write: number): number {
    const memory = this.memories.get(mm);
    if (!memory) return buffer.length;
    const length = memory.room(at, buffer.length);
    if (write) memory.bytes.set(buffer.subarray(0, length), at);
    else buffer.set(memory.bytes.subarray(at, at + length));
    return buffer.length - length;
  }

  private loadImage(mm: number, image: number): number {
    const memory = this.memories.get(mm);
    const program = this.options.programs.get(image);
    if (!memory || !program) return -ENOEXEC;
    try {
      const instance = program.load(memory, this.imports, this.options.glue.program);
      this.memories.install(memory, instance);
    } catch (error) {
      const text = `linux.image: ${error instanceof Error ? error.message : String(error)}\n`;
      this.options.devices.print(new TextEncoder().encode(text));
      return -ENOEXEC;
    }
    const task = this.current;
    if (task.memory) task.memory.tasks--;
    task.memory = memory;
    memory.tasks++;
    return 0;
  }
}
