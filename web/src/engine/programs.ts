/**
 * Programs: compiled modules by build id, and their instances.
 *
 * An instance belongs to a memory, not to a process: its only state beside the
 * memory are its globals, which the engine sets when a program begins. So a
 * pooled memory keeps its instances, and a fork or an exec of a program that
 * ran there before instantiates nothing.
 */
import type { ProcessMemory } from "./memories.ts";

/** Functions of `glue/program.wat`. */
export interface Ways {
  sp(): number;
  tls(): number;
  set(sp: number, tls: number): void;
  start(): void;
  thread(): void;
  signal(): number;
  resignal(): number;
}

export interface Instance {
  readonly program: Program;
  readonly ways: Ways;
  /** Of an instrumented program: whether it saves or restores its frames. */
  readonly state: WebAssembly.Global;
  /** Where the next frame goes, and where the room for them ends. */
  readonly frames: WebAssembly.Global;
  readonly framesEnd: WebAssembly.Global;
  /** Counts calls of setjmp. */
  readonly jumps: WebAssembly.Global | undefined;
}

export class Program {
  readonly module: WebAssembly.Module;
  readonly dataStart: number;
  readonly dataEnd: number;
  /** The data range as instantiation leaves it, without trailing zeros. */
  private data: Uint8Array | undefined;

  constructor(module: WebAssembly.Module, image: DataView) {
    this.module = module;
    this.dataStart = image.getUint32(4, true);
    this.dataEnd = image.getUint32(8, true);
  }

  /** The program over `memory`, with its initial data where the kernel has mapped it. */
  load(memory: ProcessMemory, imports: WebAssembly.ModuleImports, glue: WebAssembly.Module): Instance {
    const { instances } = memory.space;
    const known = instances.get(this);
    if (known && this.data) {
      memory.bytes.set(this.data, this.dataStart);
      return known;
    }
    const instance = this.instantiate(memory, imports, glue);
    this.data ??= this.readData(memory.bytes);
    return instance;
  }

  /** The program over `memory`, whose contents are about to be replaced. */
  attach(memory: ProcessMemory, imports: WebAssembly.ModuleImports, glue: WebAssembly.Module): Instance {
    return memory.space.instances.get(this) ?? this.instantiate(memory, imports, glue);
  }

  private instantiate(
    memory: ProcessMemory,
    imports: WebAssembly.ModuleImports,
    glue: WebAssembly.Module,
  ): Instance {
    const env = { memory: memory.space.memory };
    const { exports } = new WebAssembly.Instance(this.module, { env, linux: imports });
    // A program without thread-local data, or that never forks, lacks some.
    const program = { __tls_base: word(), __linux_state: word(), ...exports };
    const ways = new WebAssembly.Instance(glue, { program }).exports as unknown as Ways;
    const { __linux_state, __linux_frames, __linux_frames_end, __linux_jumps } =
      exports as Record<string, WebAssembly.Global>;
    const instance = {
      program: this,
      ways,
      state: __linux_state ?? word(),
      frames: __linux_frames ?? word(),
      framesEnd: __linux_frames_end ?? word(),
      jumps: __linux_jumps,
    };
    memory.space.instances.set(this, instance);
    return instance;
  }

  private readData(bytes: Uint8Array): Uint8Array {
    let end = this.dataEnd;
    while (end > this.dataStart && bytes[end - 1] === 0) end--;
    return bytes.slice(this.dataStart, end);
  }
}

/** Every program the machine may run, by build id. */
export class Programs {
  private readonly byId = new Map<string, number>();
  private readonly all: Program[] = [];

  /** Adds a compiled module; a message says why it is no program. */
  add(module: WebAssembly.Module): string | undefined {
    const [section] = WebAssembly.Module.customSections(module, "linux.image");
    if (!section || section.byteLength < 48) return "it has no linux.image section";
    const view = new DataView(section);
    if (view.getUint32(0, true) !== 0x31494c57) return "its linux.image section is of another version";
    const id = hex(new Uint8Array(section, 16, 32));
    if (!this.byId.has(id)) {
      this.byId.set(id, this.all.length + 1);
      this.all.push(new Program(module, view));
    }
    return undefined;
  }

  /** A handle > 0, or undefined. */
  find(buildId: Uint8Array): number | undefined {
    return this.byId.get(hex(buildId));
  }

  get(handle: number): Program | undefined {
    return this.all[handle - 1];
  }
}

function word(): WebAssembly.Global {
  return new WebAssembly.Global({ value: "i32", mutable: true }, 0);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
