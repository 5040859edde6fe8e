/**
 * A machine: the kernel, its tasks and the memories of its processes, in the
 * agent that made it.
 *
 * ```text
 *  Devices ◄── host ops ── kernel.wasm ◄── cpu.wat ◄── program.wasm
 *                 │             └── access.wat ── user.wat, program.wat ──┘
 *     Clock, Scheduler (Tasks, Forks), Mm (Memories, Programs)
 * ```
 *
 * One task runs at a time. Host operations that suspend are `switch`, `idle`
 * and `breathe`; each other returns at once.
 */
import * as abi from "./abi.ts";
import { Clock } from "./clock.ts";
import type { Devices, Disk, Outcome } from "./devices.ts";
import { ENXIO } from "../errno.ts";
import { headroom } from "./headroom.ts";
import { BOOTED_MEMORY, fill, isBooted } from "./image.ts";
import { Forks } from "./forks.ts";
import type { AccessExports, CpuExports, Glue, Kernel } from "./glue.ts";
import { Memories } from "./memories.ts";
import { addressEnd, Mm } from "./mm.ts";
import type { Linkage, Programs } from "./programs.ts";
import { Rest, type GetRest } from "./rest.ts";
import { Rows } from "./rows.ts";
import { Scheduler } from "./scheduler.ts";
import { Task, type Handler } from "./tasks.ts";

export type { Devices, Glue, Outcome };

export interface Options {
  /** Its code. */
  kernel: WebAssembly.Module;
  /** Its data, or the memory of a machine to go on from: see `image.ts`. */
  image: WebAssembly.Module;
  /** The half of the kernel that `kernel` has not. */
  rest: GetRest;
  glue: Glue;
  devices: Devices;
  /** The guest's /dev/disk0 and on. */
  disks?: readonly Disk[];
  programs: Programs;
  /** An initramfs: a cpio archive. */
  initrd: Uint8Array;
  /** Kernel parameters. */
  parameters: string;
  /** Memory of the kernel, in bytes: a multiple of 64 KiB. */
  kernelMemory: number;
  /** What a process's memory may grow to, in bytes. */
  processMemory: number;
}

/** COMMAND_LINE_SIZE of arch/lkl. */
const COMMAND_LINE_MAX = 512;
/** Bytes of the kernel's siginfo, and of a traced call's arguments. */
const SIGINFO = 128;
const ARGUMENTS = 48;

export class Machine {
  /** Settles when the machine has ended. */
  readonly outcome: Promise<Outcome>;
  private end!: (outcome: Outcome) => void;
  private ended = false;

  private readonly options: Options;
  private readonly clock: Clock;
  /** The kernel's memory. */
  readonly bytes: Uint8Array;
  private readonly pending: Int32Array;
  private readonly memories: Memories;
  private readonly access: AccessExports;
  private readonly linkage: Linkage;
  private readonly rests: Rest[] = [];
  private readonly mm: Mm;
  private readonly scheduler: Scheduler;

  /** Boots, or goes on. Throws an Error that says what is wrong with the options. */
  constructor(options: Options) {
    check(options);
    this.options = options;
    this.outcome = new Promise((resolve) => (this.end = resolve));
    const pages = options.kernelMemory / 65536;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.bytes = new Uint8Array(memory.buffer);
    this.pending = new Int32Array(memory.buffer, abi.PENDING_ADDR, 1);

    const { glue, programs, devices } = options;
    const forks = new Forks();
    const js = this.imports(forks);
    const access = new WebAssembly.Instance(glue.access, { js, env: { memory } }).exports;
    this.access = access as unknown as AccessExports;
    const rows = new Rows(this.access.rows, this.access);
    this.memories = new Memories(glue.user, memory, rows, options.processMemory);
    const end = addressEnd(options.processMemory, abi.USER_END);
    const linkage = (this.linkage = {
      imports: {},
      glue: glue.program,
      rest: (get: GetRest, join: (rest: WebAssembly.Module) => void) => this.restOf(get, join),
    });
    const log = (text: string) =>
      devices.print(new TextEncoder().encode(`wasmlinux: cannot execute: ${text}\n`));
    this.mm = new Mm(this.memories, programs, linkage, () => this.scheduler, this.bytes, end, log);
    const host = { ...access, ...this.mm.ops(), ...this.hostOps() };
    const env = { memory };
    const { wait } = this.restOf(
      options.rest,
      (rest) => void new WebAssembly.Instance(rest, { env, host, first }),
    );
    const rest = new WebAssembly.Suspending(wait) as never;
    const first: WebAssembly.Exports = new WebAssembly.Instance(options.kernel, {
      env,
      host: { ...host, rest },
    }).exports;
    const kernel = first as unknown as Kernel;
    const booted = fill(memory, options.image);
    this.clock = new Clock(() => this.raise(abi.IRQ_TIMER), booted);
    const cpu = new WebAssembly.Instance(glue.cpu, {
      js: { ...js, headroom: headroom(memory) },
      kernel: kernel as unknown as WebAssembly.ModuleImports,
      access,
    }).exports as unknown as CpuExports;
    const { syscall, poll, fork, vfork } = cpu;
    // What an instrumented longjmp throws: its buffer and its value.
    const longjmp = new WebAssembly.Tag({ parameters: ["i32", "i32"] });
    Object.assign(linkage.imports, { syscall, poll, fork, vfork, longjmp });
    const boot = new Task(0, kernel.lkl_init_sp(), undefined);
    this.scheduler = new Scheduler(
      boot,
      this.access,
      cpu,
      this.memories,
      forks,
      (error) => error instanceof WebAssembly.Exception && error.is(longjmp),
      (error) => this.finish({ kind: "crash", message: describe(error) }),
    );
    this.begin(kernel, cpu, booted !== undefined);
  }

  /** Raises an interrupt line of the kernel's. */
  raise(line: number): void {
    if (this.ended) return;
    this.pending[0]! |= 1 << line;
    this.clock.interrupt();
  }

  /** Gets the rest of the kernel and of programs, of which then no call has to wait. */
  async complete(): Promise<void> {
    await this.rests[0]!.fetch();
    await this.options.programs.complete(this.linkage);
  }

  private restOf(get: GetRest, join: (rest: WebAssembly.Module) => void): Rest {
    const rest = new Rest(get, join, (error) =>
      this.finish({ kind: "incomplete", message: sentence(error) }),
    );
    this.rests.push(rest);
    return rest;
  }

  /** Ends the machine as it is, like pulling the plug. */
  stop(): void {
    this.finish({ kind: "stopped" });
  }

  /** Boots, or goes on: with the command line, and the initrd where either wants it. */
  private begin(kernel: Kernel, cpu: CpuExports, goesOn: boolean): void {
    const { initrd, parameters, kernelMemory } = this.options;
    const end = goesOn ? kernel.lkl_room_end() : kernelMemory;
    const at = (end - initrd.length) & ~4095;
    this.bytes.set(initrd, at);
    this.bytes.set(new TextEncoder().encode(parameters + "\0"), kernel.lkl_cmdline());
    const entry = WebAssembly.promising(goesOn ? cpu.resume : cpu.boot);
    const memory = goesOn ? [] : [kernelMemory];
    const { current } = this.scheduler;
    this.scheduler.run(current, () => entry(...memory, at, initrd.length, current.kstack));
  }

  private slice(at: number, length: number): Uint8Array {
    return this.bytes.subarray(at >>> 0, (at >>> 0) + (length >>> 0));
  }

  /** What the glue imports. */
  private imports(forks: Forks): WebAssembly.ModuleImports {
    // Nobody comes back to a stack that is suspended when the machine has ended: it is
    // answered as one of a dead task, and unwinds.
    const suspending = (what: (prev: number, next: number) => Promise<unknown> | undefined) =>
      new WebAssembly.Suspending((prev: number, next: number) =>
        this.ended ? 1 : what(prev, next),
      ) as never;
    return {
      clock_ns: () => this.clock.ns(),
      realtime_ns: () => this.clock.realtimeNs(),
      timer_set: (delta: number) => this.clock.setTimer(delta),
      check: () => (this.clock.check() ? 1 : 0),
      breathe: suspending(() => this.clock.turn()),
      idle: suspending(() => (this.pending[0] === 0 ? this.clock.sleep() : undefined)),
      switch: suspending((_prev, next) => this.scheduler.switchTo(next)),
      enter_user: () => this.scheduler.enterUser(),
      split: (flags: number) => forks.split(this.scheduler.current, flags),
      saved: () => forks.saved(this.scheduler.current),
      is_saving: () => (forks.isSaving(this.scheduler.current) ? 1 : 0),
      fault_sig: () => this.scheduler.current.fault.sig,
      fault_code: () => this.scheduler.current.fault.code,
      cloned: (result: number) => forks.cloned(this.scheduler.current, result),
      save_handler: (...handler: number[]) =>
        this.scheduler.current.handlers.push(handler as unknown as Handler),
      load_handler: () => this.scheduler.loadHandler(),
    };
  }

  /** Host operations that are neither the glue's nor `Mm`'s. */
  private hostOps(): WebAssembly.ModuleImports {
    const { devices } = this.options;
    return {
      print: (text: number, length: number) => devices.print(this.slice(text, length)),
      // The kernel's code traps when these two return, which unwinds its stack.
      panic: () => this.finish({ kind: "panic" }),
      halt: (kind: number) => this.finish(this.halted(kind)),
      timer_stop: () => this.clock.stopTimer(),
      random: (at: number, length: number) => devices.random(this.slice(at, length)),
      task_new: (task: number, kstack: number, kind: number, mm: number, sp: number, tls: number) =>
        this.scheduler.create(task, kstack, kind, mm, sp, tls),
      task_free: (task: number) => this.scheduler.free(task),
      stream_read: (stream: number, at: number, length: number) =>
        devices.streamRead(stream >>> 0, this.slice(at, length)),
      stream_write: (stream: number, at: number, length: number) =>
        devices.streamWrite(stream >>> 0, this.slice(at, length)),
      stream_poll: (stream: number) => devices.streamPoll(stream >>> 0),
      stream_winsize: (stream: number) => devices.streamWinsize(stream >>> 0),
      stream_end: (stream: number) => devices.streamEnd(stream >>> 0),
      stream_close: (stream: number) => devices.streamClose(stream >>> 0),
      stream_event: () => devices.streamEvent(),
      disk_sectors: (disk: number) => this.options.disks?.[disk]?.sectors ?? 0,
      disk_features: (disk: number) =>
        this.options.disks?.[disk]?.readOnly ? abi.DISK_READ_ONLY : 0,
      disk_transfer: (disk: number, write: number, sector: number, parts: number, count: number) =>
        this.transfer(disk, write !== 0, sector >>> 0, parts, count),
      disk_flush: (disk: number) => this.options.disks?.[disk]?.flush() ?? -ENXIO,
      job_next: (at: number, length: number) => devices.jobNext(this.slice(at, length)),
      job_started: (job: number, pid: number) => devices.jobStarted(job >>> 0, pid),
      job_exit: (job: number, status: number) => devices.jobExit(job >>> 0, status),
      trace: (event: number, pid: number, nr: number, ret: number, from: number) =>
        this.trace(event, pid, nr, ret, from >>> 0),
      backtrace: (_task: number, program: number, at: number, length: number) =>
        program ? this.backtrace(this.slice(at, length)) : 0,
      ready: () => devices.ready(),
      shutting_down: () => devices.shuttingDown(),
    };
  }

  private halted(kind: number): Outcome {
    switch (kind) {
      case abi.HALT_POWER_OFF:
        return { kind: "power-off" };
      case abi.HALT_RESTART:
        return { kind: "restart" };
      case abi.HALT_IMAGE:
        return { kind: "image", clock: this.clock.ns() };
      default:
        return { kind: "halt" };
    }
  }

  private transfer(disk: number, write: boolean, sector: number, at: number, count: number) {
    const list = new Uint32Array(this.bytes.buffer, at >>> 0, 2 * count);
    const parts = Array.from({ length: count }, (_, i) =>
      this.slice(list[2 * i]!, list[2 * i + 1]!),
    );
    return this.options.disks?.[disk]?.transfer(write, sector, parts) ?? -ENXIO;
  }

  private trace(event: number, pid: number, nr: number, ret: number, from: number): void {
    let length = 0;
    if (event === abi.TRACE_ENTER || event === abi.TRACE_LEAVE) length = ARGUMENTS;
    else if (event === abi.TRACE_SIGNAL) length = Math.min(ret >>> 0, SIGINFO);
    else if (event === abi.TRACE_EXEC) length = Math.max(0, this.bytes.indexOf(0, from) - from);
    const read = (address: number, into: Uint8Array) => this.mm.readCurrent(address >>> 0, into);
    this.options.devices.trace(event, pid, nr, ret, this.slice(from, length), read);
  }

  /** The functions that the current task trapped in; bytes written. */
  private backtrace(into: Uint8Array): number {
    const { current } = this.scheduler;
    let written = 0;
    for (const name of current.crash.splice(0)) {
      const line = new TextEncoder().encode(name + "\n");
      if (written + line.length > into.length) break;
      into.set(line, written);
      written += line.length;
    }
    return written;
  }

  /** Unwinds all stacks and gives back what the machine has of the host's. */
  private finish(outcome: Outcome): void {
    if (this.ended) return;
    this.ended = true;
    this.access.ended.value = 1;
    this.clock.close();
    this.scheduler.end();
    this.memories.drop();
    for (const rest of this.rests) rest.close();
    this.end(outcome);
  }
}

/** What can be said about a boot before it is tried. */
function check({ image, parameters, initrd, kernelMemory, processMemory }: Options): void {
  const mib = 1 << 20;
  if (new TextEncoder().encode(parameters).length >= COMMAND_LINE_MAX)
    throw new RangeError(`the kernel parameters have more than ${COMMAND_LINE_MAX - 1} bytes`);
  // The initrd is unpacked into page cache before it is freed.
  const needed = Math.ceil((18 * mib + 2 * initrd.length) / mib);
  if (kernelMemory < needed * mib || kernelMemory % 65536 !== 0)
    throw new RangeError(
      `the kernel cannot have ${kernelMemory} bytes: give it at least ${needed} MiB, in whole 64 KiB`,
    );
  if (isBooted(image) && kernelMemory !== BOOTED_MEMORY)
    throw new RangeError(`the image is of a kernel with ${BOOTED_MEMORY} bytes`);
  if (processMemory < 4 * mib) throw new RangeError("a process needs at least 4 MiB");
}

/** What has failed outside of the machine. */
function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
