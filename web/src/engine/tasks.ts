/**
 * Tasks: each is one suspended WebAssembly stack.
 *
 * The running task stands in `Scheduler`; every other one that has begun is a
 * promise that `resume` settles. A dead task's stack must be unwound, else it is
 * never collected and keeps its memory: `resume(1)` makes the kernel's code
 * trap, which ends it.
 */
import type { ProcessMemory } from "./memories.ts";
import { Slot } from "./rows.ts";
import type { Fault } from "./trap.ts";

/** A signal handler that saved its frames: its arguments, what it interrupted. */
export type Handler = readonly [
  handler: number,
  sig: number,
  info: number,
  ctx: number,
  siginfo: number,
  interruptedSp: number,
];

/** What the kernel wants done when a task returns to user mode: see `access.wat`. */
export const UPCALL_START = 1;
export const UPCALL_SIGNAL = 2;

/** Where user code stands that has saved itself for a fork. */
export interface Frames {
  readonly bytes: Uint8Array;
  /** Where they lay. */
  readonly start: number;
  /** Innermost first. */
  readonly handlers: readonly Handler[];
  /** What fork returns when they have been restored. */
  result: number;
}

export class Task {
  /** Settles the host operation `switch` of this task: 1 when it is dead. */
  resume: ((dead: 0 | 1) => void) | undefined;
  begun = false;
  /** It has been told that it is dead; what its stack throws means nothing. */
  dead = false;
  /** The program's stack and thread pointer while another task of it runs. */
  userSp = 0;
  userTls = 0;
  /** The slot of its row at which its user code began; `resignal` after a trap. */
  entry: number = Slot.start;
  /** It has not run user code yet. */
  fresh = true;
  /** Frames to restore before user code goes on. */
  frames: Frames | undefined;
  /** Handlers that have saved their frames, or are yet to be restored. */
  handlers: Handler[] = [];
  /** What it has trapped with. */
  fault: Fault = { sig: 0, code: 0 };
  /** Names of the functions it was in when it trapped, innermost first. */
  crash: string[] = [];

  /** Address of the kernel's task. */
  readonly kernelTask: number;
  /** Top of its kernel stack. */
  readonly kstack: number;
  memory: ProcessMemory | undefined;

  constructor(kernelTask: number, kstack: number, memory: ProcessMemory | undefined) {
    this.kernelTask = kernelTask;
    this.kstack = kstack;
    this.memory = memory;
  }
}

export class Tasks {
  private readonly all: (Task | undefined)[];
  private readonly free: number[] = [];

  /** `boot` has no host side that the kernel asked for: its handle is 0. */
  constructor(boot: Task) {
    boot.begun = true;
    this.all = [boot];
  }

  add(task: Task): number {
    const handle = this.free.pop() ?? this.all.length;
    this.all[handle] = task;
    return handle;
  }

  get(handle: number): Task | undefined {
    return this.all[handle];
  }

  remove(handle: number): Task | undefined {
    const task = this.all[handle];
    if (task) {
      this.all[handle] = undefined;
      this.free.push(handle);
    }
    return task;
  }

  *[Symbol.iterator](): IterableIterator<Task> {
    for (const task of this.all) if (task) yield task;
  }
}
