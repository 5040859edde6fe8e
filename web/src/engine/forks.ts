/**
 * fork and vfork of instrumented programs (ARCHITECTURE.md, "An instrumented
 * program"): the frames save themselves into a buffer and return to `cpu.wat`,
 * which makes the clone; then parent and child restore them and go on where fork
 * was called.
 *
 * The buffer is the first 64 KiB of the program's memory, where nothing is ever
 * mapped. Frames that are too many for it turn back, and try again with one
 * behind all that is mapped. Tasks may share the memory (threads, vfork): so the
 * frames are taken out at once, and put back just before they are restored.
 */
import { ENOMEM } from "../errno.ts";
import type { Frames, Task } from "./tasks.ts";

const SAVING = 1;
const RESTORING = 2;

/** The lowest address stays free: a pointer to it is NULL. */
const LOW = 1024;
const LOW_END = 65536;
/** More than an engine's own stack holds in frames. */
const HIGH = 8 << 20;

/** What a program that saves its frames wants, and where they go. */
interface Saving {
  readonly task: Task;
  /** Of clone. */
  readonly flags: number;
  readonly start: number;
}

export class Forks {
  /** Nobody else runs meanwhile. What a program says without it is not believed. */
  private saving: Saving | undefined;

  /** The program has called fork, or comes back to that call. */
  split(task: Task, flags: number): number {
    const { state } = task.memory!.instance!;
    if (state.value !== RESTORING) {
      this.save(task, flags, LOW, LOW_END);
      return 0;
    }
    state.value = 0;
    if (task.frames) {
      const { result } = task.frames;
      task.frames = undefined;
      return result;
    }
    // Turned back for lack of room.
    const saving = this.saving;
    this.saving = undefined;
    const space = task.memory!.space!;
    const start = space.size;
    if (saving?.task !== task || saving.start !== LOW || !space.reach(start + HIGH)) return -ENOMEM;
    this.save(task, flags, start, space.size);
    return 0;
  }

  private save(task: Task, flags: number, start: number, end: number): void {
    const instance = task.memory!.instance!;
    this.saving = { task, flags, start };
    // What lies there is stale; behind the first page it is new.
    task.memory!.space!.use(start, 1);
    task.handlers = [];
    instance.frames.value = start | 0;
    instance.framesEnd.value = end | 0;
    instance.state.value = SAVING;
  }

  isSaving(task: Task): boolean {
    return task.memory!.instance!.state.value === SAVING && this.saving?.task === task;
  }

  /** The program has returned to its entry: the flags if it has saved itself. */
  saved(task: Task): number {
    const { instance, space } = task.memory!;
    const saving = this.isSaving(task) ? this.saving : undefined;
    this.saving = undefined;
    instance!.state.value = 0;
    if (!saving) return 0;
    const { start, flags } = saving;
    const length = (instance!.frames.value >>> 0) - start;
    if (length > 0) space!.use(start, Math.min(length, space!.size - start));
    task.frames = {
      bytes: space!.bytes.slice(start, instance!.frames.value >>> 0),
      start,
      handlers: task.handlers,
      result: 0,
    };
    return flags;
  }

  cloned(task: Task, result: number): void {
    task.frames!.result = result;
  }

  /** False: the parent has not saved its frames, so there is nothing to go on with. */
  inherit(parent: Task, child: Task): boolean {
    const frames: Frames | undefined = parent.frames;
    if (!frames || !child.memory?.instance) return false;
    child.frames = { ...frames, result: 0 };
    child.entry = parent.entry;
    const { jumps } = parent.memory!.instance!;
    if (jumps) child.memory.instance.jumps!.value = jumps.value;
    return true;
  }

  /** False: the memory cannot hold them. */
  restore(task: Task): boolean {
    const { instance, space } = task.memory!;
    const { bytes, start, handlers } = task.frames!;
    const top = start + bytes.length;
    if (!space!.reach(top)) return false;
    space!.use(start, bytes.length);
    space!.bytes.set(bytes, start);
    instance!.frames.value = top | 0;
    instance!.framesEnd.value = top | 0;
    instance!.state.value = RESTORING;
    task.handlers = [...handlers];
    return true;
  }

  /** The frames are gone: exec, or a trap. */
  forget(task: Task): void {
    if (this.saving?.task === task) this.saving = undefined;
    task.frames = undefined;
    task.handlers = [];
    if (task.memory?.instance) task.memory.instance.state.value = 0;
  }
}
