/**
 * Memories of processes by the kernel's handle, which is the number of a row.
 *
 * Browsers allow about a hundred live memories and are slow to collect them, so
 * they are pooled. Where no more can be had, a process begins without one and
 * gets what another gives back: exec asks for the new memory just before it
 * gives the old one.
 *
 * Lifetime: `create` to `release` belongs to the kernel's mm.
 */
import type { Instance } from "./programs.ts";
import type { Rows } from "./rows.ts";
import { Space, WASM_PAGE } from "./space.ts";

/** Memories kept for the next processes, and how many bytes they may have together. */
const POOLED = 32;
const POOLED_BYTES = 128 << 20;
/** One that has grown to more is given back to the host. */
const KEPT_BYTES = 16 << 20;
/** After a refusal of the host's, how long it is not asked again, in ms. */
const REFUSED = 1000;

export class ProcessMemory {
  /** The program that runs in it, once exec or fork has said. */
  instance: Instance | undefined;
  /** Tasks that run in it, for whoever must save what threads share. */
  tasks = 0;
  readonly handle: number;
  space: Space | undefined;

  constructor(handle: number, space: Space | undefined) {
    this.handle = handle;
    this.space = space;
  }
}

export class Memories {
  private readonly all = new Map<number, ProcessMemory>();
  private readonly pool: Space[] = [];
  private pooledBytes = 0;
  private refusedAt = -Infinity;

  private readonly user: WebAssembly.Module;
  private readonly kernel: WebAssembly.Memory;
  private readonly rows: Rows;
  /** Addresses of a process, in wasm pages. */
  private readonly pages: number;

  constructor(user: WebAssembly.Module, kernel: WebAssembly.Memory, rows: Rows, bytes: number) {
    this.user = user;
    this.kernel = kernel;
    this.rows = rows;
    this.pages = Math.floor(bytes / WASM_PAGE);
  }

  get(handle: number): ProcessMemory | undefined {
    return this.all.get(handle);
  }

  /** How many processes have a memory, and how many memories wait for one. */
  counts(): { live: number; pooled: number } {
    return { live: this.all.size, pooled: this.pool.length };
  }

  create(): ProcessMemory {
    const space = this.takeSpace();
    const memory = new ProcessMemory(space ? space.row : this.rows.take(), space);
    this.all.set(memory.handle, memory);
    return memory;
  }

  /** The memory's space, if need be one that was given back meanwhile. */
  open(memory: ProcessMemory): Space | undefined {
    if (memory.space) return memory.space;
    const space = this.takeSpace();
    if (!space) return undefined;
    this.rows.give(space.row);
    space.row = memory.handle;
    space.installed = undefined;
    this.rows.setAccess(space.row, space.access);
    memory.space = space;
    return space;
  }

  release(handle: number): void {
    const memory = this.all.get(handle);
    if (!memory) return;
    this.all.delete(handle);
    const { space } = memory;
    memory.space = undefined;
    memory.instance = undefined;
    if (!space) {
      this.rows.give(handle);
    } else if (this.worthKeeping(space)) {
      space.wipe();
      this.pool.push(space);
      this.pooledBytes += space.size;
    } else {
      this.rows.give(space.row);
    }
  }

  /** Makes `instance` the program of a memory that has a space. */
  install(memory: ProcessMemory, instance: Instance): void {
    const space = memory.space!;
    memory.instance = instance;
    instance.state.value = 0;
    if (space.installed === instance) return;
    space.installed = instance;
    this.rows.setWays(space.row, instance.ways);
  }

  /** The machine has ended. */
  drop(): void {
    this.all.clear();
    this.pool.length = 0;
  }

  private worthKeeping(space: Space): boolean {
    return (
      space.size <= KEPT_BYTES &&
      this.pool.length < POOLED &&
      this.pooledBytes + space.size <= POOLED_BYTES
    );
  }

  private takeSpace(): Space | undefined {
    const pooled = this.pool.pop();
    if (pooled) {
      this.pooledBytes -= pooled.size;
      return pooled;
    }
    // Each refusal costs the host a search for garbage.
    if (performance.now() - this.refusedAt < REFUSED) return undefined;
    try {
      const space = new Space(this.user, this.kernel, this.pages);
      space.row = this.rows.take();
      this.rows.setAccess(space.row, space.access);
      return space;
    } catch {
      this.refusedAt = performance.now();
      return undefined;
    }
  }
}
