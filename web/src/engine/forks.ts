/**
 * fork and vfork of instrumented programs (ARCHITECTURE.md, "An instrumented
 * program"): the frames save themselves into the room above the program's
 * addresses and return to `cpu.wat`, which makes the clone; then parent and
 * child restore them and go on where fork was called.
 *
 * The room is the memory's, and tasks may share it (threads, vfork): so the
 * frames are taken out at once, and put back just before they are restored.
 */
import { ENOMEM } from "./errno.ts";
import { FRAMES } from "./memories.ts";
import type { Frames, Task } from "./tasks.ts";

const SAVING = 1;
const RESTORING = 2;

export class Forks {
  /** Flags of the clone that the saving program wants. */
  private flags = 0;

  /** The program has called fork, or comes back to that call. */
  split(task: Task, flags: number): number {
    const { instance, end } = task.memory!;
    if (instance!.state.value === RESTORING) {
      instance!.state.value = 0;
      const result = task.frames ? task.frames.result : -ENOMEM;
      task.frames = undefined;
      return result;
    }
    this.flags = flags;
    task.handlers = [];
    instance!.frames.value = end | 0;
    instance!.framesEnd.value = (end + FRAMES) | 0;
    instance!.state.value = SAVING;
    return 0;
  }

  /** The program has returned to its entry: the flags if it has saved itself. */
  saved(task: Task): number {
    const { instance, end, bytes } = task.memory!;
    if (instance!.state.value !== SAVING) return 0;
    instance!.state.value = 0;
    task.frames = {
      bytes: bytes.slice(end, instance!.frames.value >>> 0),
      handlers: task.handlers,
      result: 0,
    };
    return this.flags;
  }

  cloned(task: Task, result: number): void {
    task.frames!.result = result;
  }

  /** False: the parent has not saved its frames, so there is nothing to go on with. */
  inherit(parent: Task, child: Task): boolean {
    const frames: Frames | undefined = parent.frames;
    if (!frames) return false;
    child.frames = { ...frames, result: 0 };
    child.entry = parent.entry;
    const { jumps } = parent.memory!.instance!;
    if (jumps) child.memory!.instance!.jumps!.value = jumps.value;
    return true;
  }

  restore(task: Task): void {
    const { instance, end, bytes } = task.memory!;
    const { bytes: saved, handlers } = task.frames!;
    bytes.set(saved, end);
    instance!.frames.value = (end + saved.length) | 0;
    instance!.framesEnd.value = (end + FRAMES) | 0;
    instance!.state.value = RESTORING;
    task.handlers = [...handlers];
  }

  /** The frames are gone: exec, or a trap. */
  forget(task: Task): void {
    task.frames = undefined;
    task.handlers = [];
    if (task.memory?.instance) task.memory.instance.state.value = 0;
  }
}
