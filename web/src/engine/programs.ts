/**
 * Programs: compiled modules by build id, and their instances.
 *
 * An instance belongs to a memory, not to a process: its only state beside the
 * memory are its globals, which the engine sets when a program begins. So a
 * pooled memory keeps its instances, and a fork or an exec of a program that
 * ran there before instantiates nothing.
 */
import { hex, NotAProgram, readImage, readModule, type Image } from "./module.ts";
import type { GetRest, Rest } from "./rest.ts";
import type { Ways } from "./rows.ts";
import type { Space } from "./space.ts";

export interface Instance {
  readonly program: Program;
  readonly ways: Ways;
  /** Whether it saves or restores its frames. */
  readonly state: WebAssembly.Global;
  /** Where the next frame goes, and where the room for them ends. */
  readonly frames: WebAssembly.Global;
  readonly framesEnd: WebAssembly.Global;
  /** Below this its stack has run over. */
  readonly stackLimit: WebAssembly.Global;
  /** Whether it can start threads. */
  readonly threads: boolean;
  /** Counts calls of setjmp. */
  readonly jumps: WebAssembly.Global | undefined;
}

/** What instantiation needs beside the memory. */
export interface Linkage {
  readonly imports: WebAssembly.ModuleImports;
  readonly glue: WebAssembly.Module;
  /** The machine's, of a half of something. */
  rest(get: GetRest, join: (rest: WebAssembly.Module) => void): Rest;
}

/** Leaf functions use this much below their stack pointer. */
const RED_ZONE = 128;
/** Version of the contract, in the low byte of `__linux_abi`. */
const VERSION = 1;
const FUNCTIONS = new Set(["syscall", "fork", "vfork", "poll"]);

export class Program {
  readonly module: WebAssembly.Module;
  readonly image: Image;
  /** The data range as instantiation leaves it, without trailing zeros. */
  private data: Uint8Array | undefined;
  /** Of a program in two halves: how to get the other one. */
  private readonly getRest: GetRest | undefined;
  /** The other one is on its way, or here. */
  private coming: Rest | undefined;
  private rest: WebAssembly.Module | undefined;

  constructor(module: WebAssembly.Module, image: Image, getRest?: GetRest) {
    this.module = module;
    this.image = image;
    this.getRest = getRest;
  }

  /** Gets the other half if there is one, of which then no call has to wait. */
  async complete(linkage: Linkage): Promise<void> {
    await this.restFor(linkage)?.fetch();
  }

  private restFor(linkage: Linkage): Rest | undefined {
    if (this.getRest) this.coming ??= linkage.rest(this.getRest, (rest) => (this.rest = rest));
    return this.coming;
  }

  /** The program over `space`, with its initial data where the kernel has mapped it. */
  load(space: Space, linkage: Linkage): Instance {
    const known = space.instance(this);
    if (known && this.data) {
      space.bytes.set(this.data, this.image.dataStart);
      return known;
    }
    const instance = this.instantiate(space, linkage);
    this.data ??= this.readData(space.bytes);
    return instance;
  }

  /** The program over `space`, whose contents are about to be replaced. */
  attach(space: Space, linkage: Linkage): Instance | undefined {
    const known = space.instance(this);
    if (known) return known;
    return space.reach(this.image.dataEnd) ? this.instantiate(space, linkage) : undefined;
  }

  private instantiate(space: Space, linkage: Linkage): Instance {
    const imports = { env: { memory: space.memory }, linux: linkage.imports };
    const { exports } = this.getRest
      ? this.firstHalf(imports, linkage)
      : new WebAssembly.Instance(this.module, imports);
    const globals = exports as Record<string, WebAssembly.Global>;
    if ((globals.__linux_abi!.value & 0xff) !== VERSION)
      throw new NotAProgram("it was instrumented for another version of the system");
    // A program without thread-local data, threads or handlers lacks some.
    const missing = () => {};
    const program = {
      __tls_base: word(),
      __linux_stack_limit: word(),
      __wasm_thread_start: missing,
      __wasm_signal: missing,
      ...exports,
    };
    const stack_end = this.image.dataEnd + RED_ZONE;
    const ways = new WebAssembly.Instance(linkage.glue, { program, engine: { stack_end } })
      .exports as unknown as Ways;
    const instance: Instance = {
      program: this,
      ways,
      state: globals.__linux_state!,
      frames: globals.__linux_frames!,
      framesEnd: globals.__linux_frames_end!,
      stackLimit: program.__linux_stack_limit as WebAssembly.Global,
      threads: "__wasm_thread_start" in exports,
      jumps: globals.__linux_jumps,
    };
    space.keep(instance);
    return instance;
  }

  /** Its stubs call `rest`, which suspends only until the other half has come once. */
  private firstHalf(imports: WebAssembly.Imports, linkage: Linkage): WebAssembly.Instance {
    const join = (): 0 | 1 => {
      try {
        new WebAssembly.Instance(this.rest!, { ...imports, first: first.exports });
        return 0;
      } catch {
        // The host has no memory for another instance. The stub traps.
        return 1;
      }
    };
    const rest = new WebAssembly.Suspending(() => {
      if (this.rest) return join();
      const coming = this.restFor(linkage)!.wait();
      return coming.then((ended) => ended || join());
    });
    const linux = { ...linkage.imports, rest: rest as never };
    const first = new WebAssembly.Instance(this.module, { ...imports, linux });
    return first;
  }

  private readData(bytes: Uint8Array): Uint8Array {
    const { dataStart, dataEnd } = this.image;
    let end = dataEnd;
    while (end > dataStart && bytes[end - 1] === 0) end--;
    return bytes.slice(dataStart, end);
  }
}

/** Every program that a machine may run, by build id. */
export class Programs {
  private readonly byId = new Map<string, number>();
  private readonly all: Program[] = [];
  private coming: Promise<void> | undefined;

  /**
   * A program that is on its way: who looks for one that is not here waits for it.
   * `failed` hears why it is not coming; whoever waits then waits on.
   */
  expect(
    module: Promise<WebAssembly.Module>,
    failed: (error: unknown) => void,
    rest?: GetRest,
  ): void {
    const added = module.then((module) => {
      const wrong = this.add(module, undefined, rest);
      if (wrong) throw new Error(wrong);
      this.coming = undefined;
    });
    this.coming = added.catch((error) => {
      failed(error);
      return new Promise<never>(() => {});
    });
  }

  /**
   * Adds a compiled module. `bytes` are what it was compiled from; they may be
   * left out for a module of one's own build, and `rest` is the other half of such
   * a one. A sentence says why it is no program that can run here.
   */
  add(module: WebAssembly.Module, bytes?: Uint8Array, rest?: GetRest): string | undefined {
    try {
      const image = bytes ? readModule(bytes) : imageOf(module);
      checkInterface(module, rest !== undefined);
      if (!this.byId.has(image.buildId)) {
        this.all.push(new Program(module, image, rest));
        this.byId.set(image.buildId, this.all.length);
      }
      return undefined;
    } catch (error) {
      if (error instanceof NotAProgram) return error.message;
      throw error;
    }
  }

  /** A handle > 0, or undefined. */
  find(buildId: Uint8Array): number | undefined | Promise<number | undefined> {
    const id = hex(buildId);
    return this.byId.get(id) ?? this.coming?.then(() => this.byId.get(id));
  }

  get(handle: number): Program | undefined {
    return this.all[handle - 1];
  }

  /** Gets the other halves of those that are in two. */
  async complete(linkage: Linkage): Promise<void> {
    await Promise.all(this.all.map((program) => program.complete(linkage)));
  }
}

function imageOf(module: WebAssembly.Module): Image {
  const [section] = WebAssembly.Module.customSections(module, "linux.image");
  if (!section) throw new NotAProgram("it does not begin with a linux.image section");
  return readImage(new Uint8Array(section));
}

/** Imports and exports by name and kind; types are checked when it is linked. */
function checkInterface(module: WebAssembly.Module, half: boolean): void {
  const exported = new Map(WebAssembly.Module.exports(module).map((e) => [e.name, e.kind]));
  if (exported.get("__linux_abi") !== "global")
    throw new NotAProgram("it is not instrumented: wasmlinux-instrument makes it run here");
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const known =
      (from === "env" && name === "memory" && kind === "memory") ||
      (from === "linux" && FUNCTIONS.has(name) && kind === "function") ||
      (half && from === "linux" && name === "rest" && kind === "function") ||
      (from === "linux" && name === "longjmp" && (kind as string) === "tag");
    if (!known) throw new NotAProgram(`it imports ${from}.${name}, which nobody offers`);
  }
  if (exported.get("_start") !== "function") throw new NotAProgram("it has no _start");
  const globals = ["__stack_pointer", "__linux_state", "__linux_frames", "__linux_frames_end"];
  const lost = globals.find((name) => exported.get(name) !== "global");
  if (lost) throw new NotAProgram(`it does not export ${lost}`);
}

function word(): WebAssembly.Global {
  return new WebAssembly.Global({ value: "i32", mutable: true }, 0);
}
