/**
 * Linear memories of processes, and their rows in the access table.
 *
 * A memory outlives its process: browsers allow about a hundred at a time and
 * are slow to collect them, so they are pooled. What a process left behind is
 * noted in granules and zeroed when it is mapped again.
 *
 * Lifetime: `create` to `free` belongs to the kernel's mm. A handle is the
 * number of a row.
 */
import { ROW, Slot } from "./rows.ts";
import type { Instance, Program } from "./programs.ts";

/** Room above the program's addresses for the frames that a fork saves. */
export const FRAMES = 65536;
/** Bytes for which one flag tells whether anything was written. */
const GRANULE = 65536;
/** A memory that holds more than this is given back to the host. */
const POOLED_GRANULES = 256;
/** Memories kept for the next processes. */
const POOL = 24;

interface Space {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  /** A granule that may hold something else than zeros. */
  readonly dirty: Uint8Array;
  /** Functions of `glue/user.wat` over this memory. */
  readonly access: WebAssembly.Exports;
  /** Instances of programs over this memory: reused, as they keep no state. */
  readonly instances: Map<Program, Instance>;
}

export class ProcessMemory {
  /** The program that runs in it, once exec or fork has said. */
  instance: Instance | undefined;
  /** Tasks that run in it, for whoever must save what threads share. */
  tasks = 0;
  readonly handle: number;
  readonly space: Space;

  constructor(handle: number, space: Space) {
    this.handle = handle;
    this.space = space;
  }

  get bytes(): Uint8Array {
    return this.space.bytes;
  }

  /** Where saved frames begin; nothing of the program's lies there or above. */
  get end(): number {
    return this.bytes.length - FRAMES;
  }

  /** Fresh zero bytes; false: beyond the end. */
  map(at: number, length: number): boolean {
    const { bytes, dirty } = this.space;
    if (at + length > this.end) return false;
    for (let granule = Math.floor(at / GRANULE); granule * GRANULE < at + length; granule++) {
      if (dirty[granule]) {
        const from = Math.max(at, granule * GRANULE);
        bytes.fill(0, from, Math.min(at + length, (granule + 1) * GRANULE));
      }
      dirty[granule] = 1;
    }
    return true;
  }

  /** What `from` holds in a range, at the same address. */
  copy(from: ProcessMemory, at: number, length: number): boolean {
    if (at + length > this.end) return false;
    this.dirtyRange(at, length);
    this.bytes.set(from.bytes.subarray(at, at + length), at);
    return true;
  }

  move(from: number, to: number, length: number): boolean {
    if (to + length > this.end) return false;
    this.dirtyRange(to, length);
    this.bytes.copyWithin(to, from, from + length);
    return true;
  }

  /** How much of a range can be accessed. */
  room(at: number, length: number): number {
    return at < GRANULE ? 0 : Math.max(0, Math.min(length, this.end - at));
  }

  private dirtyRange(at: number, length: number): void {
    this.space.dirty.fill(1, Math.floor(at / GRANULE), Math.ceil((at + length) / GRANULE));
  }
}

export class Memories {
  private readonly all: (ProcessMemory | undefined)[] = [undefined];
  private readonly free: number[] = [];
  private readonly pool: Space[] = [];

  private readonly user: WebAssembly.Module;
  private readonly kernel: WebAssembly.Memory;
  private readonly rows: WebAssembly.Table;
  /** Addresses of a process, in bytes: a multiple of 64 KiB. */
  private readonly size: number;

  constructor(
    user: WebAssembly.Module,
    kernel: WebAssembly.Memory,
    rows: WebAssembly.Table,
    size: number,
  ) {
    this.user = user;
    this.kernel = kernel;
    this.rows = rows;
    this.size = size;
  }

  get(handle: number): ProcessMemory | undefined {
    return this.all[handle];
  }

  /** Undefined: the host has no memory to give. */
  create(): ProcessMemory | undefined {
    const space = this.pool.pop() ?? this.newSpace();
    if (!space) return undefined;
    const handle = this.free.pop() ?? this.all.length;
    const memory = new ProcessMemory(handle, space);
    this.all[handle] = memory;
    const end = (handle + 1) * ROW;
    if (this.rows.length < end) this.rows.grow(Math.max(end - this.rows.length, 64 * ROW));
    const first = handle * ROW;
    const { copy_from, copy_to, clear, strncpy, strnlen } = space.access;
    this.rows.set(first + Slot.copyFrom, copy_from);
    this.rows.set(first + Slot.copyTo, copy_to);
    this.rows.set(first + Slot.clear, clear);
    this.rows.set(first + Slot.strncpy, strncpy);
    this.rows.set(first + Slot.strnlen, strnlen);
    return memory;
  }

  release(handle: number): void {
    const memory = this.all[handle];
    if (!memory) return;
    this.all[handle] = undefined;
    this.free.push(handle);
    for (let slot = 0; slot < ROW; slot++) this.rows.set(handle * ROW + slot, null);
    const { space } = memory;
    const dirty = space.dirty.reduce((sum, flag) => sum + flag, 0);
    if (this.pool.length < POOL && dirty <= POOLED_GRANULES) this.pool.push(space);
  }

  /** Makes `instance` the program of a memory. */
  install(memory: ProcessMemory, instance: Instance): void {
    memory.instance = instance;
    const first = memory.handle * ROW;
    const { sp, tls, set, start, thread, signal, resignal } = instance.ways;
    this.rows.set(first + Slot.sp, sp);
    this.rows.set(first + Slot.tls, tls);
    this.rows.set(first + Slot.set, set);
    this.rows.set(first + Slot.start, start);
    this.rows.set(first + Slot.thread, thread);
    this.rows.set(first + Slot.signal, signal);
    this.rows.set(first + Slot.resignal, resignal);
    instance.state.value = 0;
  }

  private newSpace(): Space | undefined {
    try {
      const pages = (this.size + FRAMES) / 65536;
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
      const { exports } = new WebAssembly.Instance(this.user, {
        kernel: { memory: this.kernel },
        user: { memory },
      });
      return {
        memory,
        bytes: new Uint8Array(memory.buffer),
        dirty: new Uint8Array(memory.buffer.byteLength / GRANULE),
        access: exports,
        instances: new Map(),
      };
    } catch {
      // The platform's limit of live memories, or of address space.
      return undefined;
    }
  }
}
