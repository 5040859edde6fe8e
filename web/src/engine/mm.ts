/** Host operations on memories of processes and on images. */
import { EAGAIN, EINVAL, ENOEXEC, ENOMEM } from "../errno.ts";
import type { Memories, ProcessMemory } from "./memories.ts";
import type { Linkage, Programs } from "./programs.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Space } from "./space.ts";
import { WASM_PAGE } from "./space.ts";

export class Mm {
  private readonly memories: Memories;
  private readonly programs: Programs;
  private readonly linkage: Linkage;
  private readonly scheduler: () => Scheduler;
  private readonly kernel: Uint8Array;
  private readonly log: (text: string) => void;
  /** End of every address space. */
  private readonly end: number;

  constructor(
    memories: Memories,
    programs: Programs,
    linkage: Linkage,
    scheduler: () => Scheduler,
    kernel: Uint8Array,
    end: number,
    log: (text: string) => void,
  ) {
    this.memories = memories;
    this.programs = programs;
    this.linkage = linkage;
    this.scheduler = scheduler;
    this.kernel = kernel;
    this.end = end;
    this.log = log;
  }

  /** The operations by name, as the kernel imports them. */
  ops(): WebAssembly.ModuleImports {
    return {
      mm_new: () => this.create(),
      mm_free: (mm: number) => this.memories.release(mm),
      mm_end: () => this.end | 0,
      mm_share: () => -EINVAL,
      mm_map: (mm: number, at: number, length: number) =>
        this.inSpace(mm, (space) => space.map(at >>> 0, length >>> 0)),
      // Nothing can be closed or given back; what is mapped again is made zero.
      mm_unmap: () => {},
      mm_protect: () => 0,
      mm_move: (mm: number, from: number, to: number, length: number) =>
        this.inSpace(mm, (space) => space.move(from >>> 0, to >>> 0, length >>> 0)),
      mm_copy: (from: number, to: number, at: number, length: number) =>
        this.copy(from, to, at >>> 0, length >>> 0),
      mm_access: (mm: number, at: number, buffer: number, length: number, write: number) =>
        this.access(mm, at >>> 0, buffer >>> 0, length >>> 0, write !== 0),
      // Suspends only for a program that is on its way; the machine stands still.
      image_find: new WebAssembly.Suspending((id: number) => this.find(id >>> 0)) as never,
      image_load: (mm: number, image: number) => this.load(mm, image),
    };
  }

  private find(id: number): number | Promise<number> {
    const found = this.programs.find(this.kernel.slice(id, id + 32));
    if (typeof found === "number") return found;
    return found?.then((handle) => handle ?? -ENOEXEC) ?? -ENOEXEC;
  }

  /** Reads of the current process; how many bytes there were. */
  readCurrent(at: number, into: Uint8Array): number {
    const space = this.scheduler().current.memory?.space;
    const length = space?.room(at, into.length) ?? 0;
    if (length > 0) into.set(space!.bytes.subarray(at, at + length));
    return length;
  }

  private create(): number {
    const memory = this.memories.create();
    // An exec gives the old memory back before it needs the new one, unless it
    // is somebody else's, too; and a fork is refused when it copies.
    const old = this.scheduler().current.memory;
    if (!memory.space && old && old.tasks > 1) {
      this.memories.release(memory.handle);
      return -ENOMEM;
    }
    return memory.handle;
  }

  private inSpace(mm: number, body: (space: Space) => boolean): number {
    const memory = this.memories.get(mm);
    if (!memory) return -EINVAL;
    const space = this.memories.open(memory);
    return space && body(space) ? 0 : -ENOMEM;
  }

  private copy(fromHandle: number, toHandle: number, at: number, length: number): number {
    const from = this.memories.get(fromHandle);
    const to = this.memories.get(toHandle);
    if (!from?.instance || !from.space || !to) return -EINVAL;
    const space = this.memories.open(to);
    // As many processes as the host can have.
    if (!space) return -EAGAIN;
    if (!to.instance && !this.attach(from, to, space)) return -ENOMEM;
    return space.copy(from.space, at, length) ? 0 : -ENOMEM;
  }

  private attach(from: ProcessMemory, to: ProcessMemory, space: Space): boolean {
    try {
      const instance = from.instance!.program.attach(space, this.linkage);
      if (instance) this.memories.install(to, instance);
      return instance !== undefined;
    } catch {
      // The host has no memory for another instance: it has linked before.
      return false;
    }
  }

  /** How many bytes were not copied. */
  private access(mm: number, at: number, buffer: number, length: number, write: boolean): number {
    const space = this.memories.get(mm)?.space;
    if (!space) return length;
    const room = space.room(at, length);
    const kernel = this.kernel.subarray(buffer, buffer + room);
    if (write) space.bytes.set(kernel, at);
    else kernel.set(space.bytes.subarray(at, at + room));
    return length - room;
  }

  private load(mm: number, image: number): number {
    const memory = this.memories.get(mm);
    const program = this.programs.get(image);
    const task = this.scheduler().current;
    if (!memory || !program) return -ENOEXEC;
    const space = this.memories.open(memory);
    if (!space) return -ENOMEM;
    try {
      this.memories.install(memory, program.load(space, this.linkage));
    } catch (error) {
      // It does not link, or its data lies where it has no memory.
      this.log(error instanceof Error ? error.message : String(error));
      return -ENOEXEC;
    }
    if (task.memory) task.memory.tasks--;
    task.memory = memory;
    memory.tasks++;
    return 0;
  }
}

/** The end of address spaces of `bytes`: whole wasm pages, at most `highest`. */
export function addressEnd(bytes: number, highest: number): number {
  return Math.min(Math.floor(bytes / WASM_PAGE) * WASM_PAGE, highest);
}
