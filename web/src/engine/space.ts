/**
 * A linear memory for processes, one after another. It begins small and grows
 * with what the kernel maps, so that the host gives address space only for what
 * is used, and an access behind the end traps.
 *
 * Nothing protects pages inside it, so a process may write where nothing is
 * mapped. What was mapped is made zero before another process gets the memory;
 * the rest, which no honest program uses, when it is mapped.
 */
import type { Access } from "./rows.ts";
import type { Instance, Program } from "./programs.ts";

export const WASM_PAGE = 65536;
const PAGE = 4096;
/** Programs whose instances are kept with a memory. */
const INSTANCES = 4;
/** Pages a new memory begins with: what a shell needs. */
const INITIAL = 48;

export class Space {
  /** Its row in the table of `access.wat`, for as long as it exists. */
  row = 0;
  /** The instance whose functions stand in the row. */
  installed: Instance | undefined;
  readonly memory: WebAssembly.Memory;
  readonly access: Access;
  private readonly maximum: number;
  private view: Uint8Array;
  /** For each wasm page, whether this process has something there ... */
  private readonly used: Uint8Array;
  /** ... and whether an earlier one may have written to it since it was zero. */
  private readonly stale: Uint8Array;
  /** Kept, as making one costs much; they keep no state of a process. */
  private readonly instances = new Map<Program, Instance>();

  /** Throws a RangeError when the host has no memory to give. */
  constructor(user: WebAssembly.Module, kernel: WebAssembly.Memory, maximum: number) {
    this.maximum = maximum;
    const initial = Math.min(INITIAL, maximum);
    this.memory = new WebAssembly.Memory({ initial, maximum });
    this.view = new Uint8Array(this.memory.buffer);
    this.used = new Uint8Array(maximum);
    this.stale = new Uint8Array(maximum);
    const imports = { kernel: { memory: kernel }, user: { memory: this.memory } };
    this.access = new WebAssembly.Instance(user, imports).exports as unknown as Access;
  }

  /** All of the memory. A program may grow it too, so the view is not kept by others. */
  get bytes(): Uint8Array {
    if (this.view.length === 0) this.view = new Uint8Array(this.memory.buffer);
    return this.view;
  }

  get size(): number {
    return this.bytes.length;
  }

  /** False: it cannot grow so far. */
  reach(end: number): boolean {
    const missing = Math.ceil((end - this.size) / WASM_PAGE);
    if (missing <= 0) return true;
    const pages = this.size / WASM_PAGE;
    if (pages + missing > this.maximum) return false;
    try {
      this.memory.grow(missing);
      return true;
    } catch {
      return false;
    }
  }

  /** Fresh zero bytes; false: beyond the end. Both are multiples of 4 KiB. */
  map(at: number, length: number): boolean {
    const end = at + length;
    if (!this.reach(end)) return false;
    for (let page = Math.floor(at / WASM_PAGE); page * WASM_PAGE < end; page++) {
      if (this.used[page]) {
        const from = Math.max(at, page * WASM_PAGE);
        this.access.wipe(from / PAGE, Math.min(end, (page + 1) * WASM_PAGE) / PAGE);
      } else {
        this.touch(page);
      }
    }
    return true;
  }

  /** What `from` holds in a range, at the same address. */
  copy(from: Space, at: number, length: number): boolean {
    if (!this.reach(at + length)) return false;
    this.use(at, length);
    this.bytes.set(from.bytes.subarray(at, at + length), at);
    return true;
  }

  move(from: number, to: number, length: number): boolean {
    if (!this.reach(to + length)) return false;
    this.use(to, length);
    this.bytes.copyWithin(to, from, from + length);
    return true;
  }

  /** How much of a range can be accessed; nothing lies in the first 64 KiB. */
  room(at: number, length: number): number {
    return at < WASM_PAGE ? 0 : Math.max(0, Math.min(length, this.size - at));
  }

  /** What the process had is zero; what else it may have written to is known. */
  wipe(): void {
    const pages = this.size / WASM_PAGE;
    for (let page = 0; page < pages; page++) {
      if (this.used[page]) {
        this.wipePage(page);
        this.used[page] = 0;
        this.stale[page] = 0;
      } else {
        this.stale[page] = 1;
      }
    }
  }

  instance(program: Program): Instance | undefined {
    return this.instances.get(program);
  }

  keep(instance: Instance): void {
    this.instances.set(instance.program, instance);
    if (this.instances.size > INSTANCES) {
      const [oldest] = this.instances.keys();
      this.instances.delete(oldest!);
    }
  }

  /** The process has something in this range, which need not be zero before. */
  use(at: number, length: number): void {
    const end = at + length;
    for (let page = Math.floor(at / WASM_PAGE); page * WASM_PAGE < end; page++)
      if (!this.used[page]) this.touch(page);
  }

  private touch(page: number): void {
    this.used[page] = 1;
    if (this.stale[page]) this.wipePage(page);
  }

  private wipePage(page: number): void {
    this.access.wipe((page * WASM_PAGE) / PAGE, ((page + 1) * WASM_PAGE) / PAGE);
  }
}
