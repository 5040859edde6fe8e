/**
 * Tasks in turn: the host operation `switch`, what a task does on its first run
 * and after a trap, and what it takes from one thread of a program to another.
 *
 * A task runs until the kernel switches; then its stack is suspended and the
 * other one's goes on. All that unwinds a stack is a trap, which no program can
 * catch: death, exec, a fault, the machine's end.
 */
import { EINVAL, ENOSYS } from "../errno.ts";
import type { Forks } from "./forks.ts";
import type { AccessExports, CpuExports } from "./glue.ts";
import { TASK_FORK, TASK_THREAD } from "./abi.ts";
import type { Memories } from "./memories.ts";
import { ROW, Slot } from "./rows.ts";
import { Task, Tasks, UPCALL_SIGNAL, UPCALL_START } from "./tasks.ts";
import { faultOf, functionsOf } from "./trap.ts";

type Entry = (...args: number[]) => Promise<void>;

const SIGKILL = 9;
/** An address where the kernel can write nothing. */
const NO_STACK = 4096;

export class Scheduler {
  current: Task;
  private readonly tasks: Tasks;
  private readonly access: AccessExports;
  private readonly cpu: CpuExports;
  private readonly memories: Memories;
  private readonly forks: Forks;
  private readonly isJump: (error: unknown) => boolean;
  private readonly crashed: (error: unknown) => void;
  private readonly taskMain: Entry;
  private readonly taskRestart: Entry;
  private readonly taskFault: Entry;
  /** The machine has ended: stacks are unwound, and nothing else happens. */
  private ended = false;

  /** `crashed` hears of a trap in the kernel. */
  constructor(
    boot: Task,
    access: AccessExports,
    cpu: CpuExports,
    memories: Memories,
    forks: Forks,
    isJump: (error: unknown) => boolean,
    crashed: (error: unknown) => void,
  ) {
    this.current = boot;
    this.tasks = new Tasks(boot);
    this.access = access;
    this.cpu = cpu;
    this.memories = memories;
    this.forks = forks;
    this.isJump = isJump;
    this.crashed = crashed;
    this.taskMain = WebAssembly.promising(cpu.task_main);
    this.taskRestart = WebAssembly.promising(cpu.task_restart);
    this.taskFault = WebAssembly.promising(cpu.task_fault);
  }

  /** Host operation `task_new`. */
  create(
    kernelTask: number,
    kstack: number,
    kind: number,
    mm: number,
    sp: number,
    tls: number,
  ): number {
    const memory = this.memories.get(mm);
    const task = new Task(kernelTask, kstack, memory);
    task.userSp = sp;
    task.userTls = tls;
    // Only the imports fork and vfork bring a child back into its caller.
    if (kind === TASK_FORK && !this.forks.inherit(this.current, task)) return -ENOSYS;
    if (kind === TASK_THREAD) {
      // A program without threads has nowhere to start one.
      if (!memory?.instance?.threads) return -EINVAL;
      task.entry = Slot.thread;
    }
    if (memory) memory.tasks++;
    return this.tasks.add(task);
  }

  /** Host operation `task_free`. */
  free(handle: number): void {
    const task = this.tasks.remove(handle);
    if (!task) return;
    if (task.memory) task.memory.tasks--;
    task.memory = undefined;
    this.unwind(task);
  }

  /** Host operation `switch`. */
  switchTo(handle: number): Promise<0 | 1> {
    const next = this.tasks.get(handle);
    if (!next) return Promise.reject(new Error("switch to a task that does not exist"));
    const prev = this.current;
    this.leave(prev);
    return new Promise((resolve) => {
      prev.resume = resolve;
      this.current = next;
      this.arrive(next);
      const { resume } = next;
      if (resume) {
        next.resume = undefined;
        resume(0);
      } else {
        next.begun = true;
        // On its own stack, not on that of the task that switches.
        queueMicrotask(() => this.run(next, () => this.taskMain(next.kernelTask, next.kstack)));
      }
    });
  }

  /** Runs a task's first code, or its next after a trap. */
  run(task: Task, body: () => Promise<void>): void {
    if (this.ended) return;
    body().then(
      () => this.crashed(new Error("a task returned")),
      (error) => this.trapped(task, error),
    );
  }

  /** Prepares the current task for user mode: the slot of the table to begin at. */
  enterUser(): number {
    const task = this.current;
    const { memory } = task;
    if (!memory?.instance) throw new Error("a task goes to user mode without a program");
    const { ways } = memory.instance;
    if (this.access.upcall.value === UPCALL_START) {
      this.access.upcall.value = 0;
      this.forks.forget(task);
      ways.set(this.access.sp.value, 0);
      task.entry = Slot.start;
    } else if (task.frames) {
      // A child's first time here; a parent's globals have been kept.
      if (task.fresh) ways.set(task.userSp, task.userTls);
      if (!this.forks.restore(task)) throw new RangeError("no memory for the frames of a fork");
      this.cpu.restoring.value = 1;
    } else {
      ways.set(task.userSp, task.userTls);
    }
    task.fresh = false;
    this.cpu.in_kernel.value = 0;
    return memory.handle * ROW + task.entry;
  }

  /** Puts the arguments of the next handler to restore where a new one's are; 0: none. */
  loadHandler(): 0 | 1 {
    const handler = this.current.handlers.pop();
    if (!handler) return 0;
    const { access } = this;
    access.upcall.value = UPCALL_SIGNAL;
    access.handler.value = handler[0];
    access.sig.value = handler[1];
    access.info.value = handler[2];
    access.ctx.value = handler[3];
    access.siginfo.value = handler[4];
    access.sp.value = handler[5];
    return 1;
  }

  /** Unwinds every stack. */
  end(): void {
    this.ended = true;
    for (const task of this.tasks) this.unwind(task);
  }

  /** Nothing can be written to a stack that has run over: a handler needs another one. */
  private markOverflow({ memory }: Task): void {
    const { ways, stackLimit } = memory!.instance!;
    if (ways.sp() >>> 0 < (stackLimit.value as number) >>> 0) ways.set(NO_STACK, ways.tls());
  }

  private unwind(task: Task): void {
    task.dead = true;
    const { resume } = task;
    task.resume = undefined;
    resume?.(1);
  }

  /** Threads of a process share an instance, so its globals are theirs in turn. */
  private leave(task: Task): void {
    const { memory } = task;
    if (memory === undefined || memory.tasks < 2 || !memory.instance) return;
    task.userSp = memory.instance.ways.sp();
    task.userTls = memory.instance.ways.tls();
  }

  private arrive(task: Task): void {
    const { memory } = task;
    if (memory === undefined || memory.tasks < 2 || !memory.instance) return;
    memory.instance.ways.set(task.userSp, task.userTls);
  }

  /** Something has unwound the stack of a task. */
  private trapped(task: Task, error: unknown): void {
    if (this.ended || task.dead) return;
    if (task !== this.current) return this.crashed(error);
    if (this.cpu.restarting.value) {
      this.cpu.restarting.value = 0;
      return this.run(task, () => this.taskRestart());
    }
    if (this.cpu.in_kernel.value) return this.crashed(error);
    const lost = this.cpu.restoring.value !== 0;
    this.cpu.restoring.value = 0;
    this.forks.forget(task);
    task.crash = functionsOf(error);
    const jump = this.isJump(error);
    task.fault = faultOf(error, error instanceof WebAssembly.Exception);
    // A jump to frames that are gone, and frames that could not be restored: no
    // handler is asked, which would come back to the same.
    if (lost || jump) task.fault.sig = SIGKILL;
    task.entry = Slot.resignal;
    this.markOverflow(task);
    this.run(task, () => this.taskFault(task.fault.sig, task.fault.code));
  }
}
