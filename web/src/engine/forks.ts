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
import { ENOMEM } from "./errno.ts";
import type { Space } from "./space.ts";
import type { Frames, Task } from "./tasks.ts";

const SAVING = 1;
const RESTORING = 2;

/** The lowest address stays free: a pointer to it is NULL. */
const LOW = 1024;
const LOW_END = 65536;
/** More than an engine's own stack holds in frames. */
const HIGH = 8 << 20;

interface Buffer {
  start: number;
  end: number;
}

export class Forks {
  /** Flags of the clone that the saving program wants. */
  private flags = 0;
  private buffer: Buffer = { start: LOW, end: LOW_END };

  /** The program has called fork, or comes back to that call. */
  split(task: Task, flags: number): number {
    const { state } = task.memory!.instance!;
    if (state.value !== RESTORING) {
      this.flags = flags;
      this.save(task, { start: LOW, end: LOW_END });
      return 0;
    }
    state.value = 0;
    if (task.frames) {
      const { result } = task.frames;
      task.frames = undefined;
      return result;
    }
    // Turned back for lack of room.
    const room = this.buffer.start === LOW ? highBuffer(task.memory!.space!) : undefined;
    if (!room) return -ENOMEM;
    this.save(task, room);
    return 0;
  }

  private save(task: Task, buffer: Buffer): void {
    const instance = task.memory!.instance!;
    this.buffer = buffer;
    task.handlers = [];
    instance.frames.value = buffer.start | 0;
    instance.framesEnd.value = buffer.end | 0;
    instance.state.value = SAVING;
  }

  /** The program has returned to its entry: the flags if it has saved itself. */
  saved(task: Task): number {
    const { instance, space } = task.memory!;
    if (instance!.state.value !== SAVING) return 0;
    instance!.state.value = 0;
    const { start } = this.buffer;
    task.frames = {
      bytes: space!.bytes.slice(start, instance!.frames.value >>> 0),
      start,
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
    space!.bytes.set(bytes, start);
    instance!.frames.value = top | 0;
    instance!.framesEnd.value = top | 0;
    instance!.state.value = RESTORING;
    task.handlers = [...handlers];
    return true;
  }

  /** The frames are gone: exec, or a trap. */
  forget(task: Task): void {
    task.frames = undefined;
    task.handlers = [];
    if (task.memory?.instance) task.memory.instance.state.value = 0;
  }
}

function highBuffer(space: Space): Buffer | undefined {
  const start = space.size;
  return space.reach(start + HIGH) ? { start, end: space.size } : undefined;
}
