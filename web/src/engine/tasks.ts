/**
 * Tasks: each is one suspended WebAssembly stack.
 *
 * A running task stands in `Machine`; every other one that has begun is a
 * promise that `resume` settles. A dead task's stack must be unwound, else it is
 * never collected and keeps its memory: `resume(1)` makes the kernel's code
 * trap, which ends it.
 */
import type { ProcessMemory } from "./memories.ts";

export class Task {
  /** Settles the host operation `switch` of this task: 1 when it is dead. */
  resume: ((dead: 0 | 1) => void) | undefined;
  begun = false;
  /** It has been told that it is dead; what its stack throws means nothing. */
  dead = false;
  /** The kernel's thread of user code: where it stands when it does not run. */
  userSp = 0;
  userTls = 0;

  /** Address of the kernel's task. */
  readonly kernelTask: number;
  /** Top of its kernel stack. */
  readonly kstack: number;
  /** TASK_KERNEL, TASK_FORK or TASK_THREAD. */
  readonly kind: number;
  memory: ProcessMemory | undefined;

  constructor(kernelTask: number, kstack: number, kind: number, memory: ProcessMemory | undefined) {
    this.kernelTask = kernelTask;
    this.kstack = kstack;
    this.kind = kind;
    this.memory = memory;
  }
}

export class Tasks {
  private readonly all: (Task | undefined)[] = [undefined];
  private readonly free: number[] = [];

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
}
