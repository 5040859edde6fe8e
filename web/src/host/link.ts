/**
 * Calls of the Rust module, and the bytes that come and go with them.
 *
 * The module calls nobody. Who has called it asks afterwards for what came of that
 * ({@link Link.after}): interrupts for the kernel, and whether it wants a turn.
 */
import factory, { type HostModule } from "../../build/host.js";

const TURN = 31;

export class Link {
  readonly module: HostModule;
  /** An interrupt of the kernel's is raised. */
  onRaise: (line: number) => void = () => {};
  /** A turn is wanted. Told in the middle of something: it is not to be taken here. */
  onTurn: () => void = () => {};

  private constructor(module: HostModule) {
    this.module = module;
  }

  /** A module of its own for every machine: what one has done is no other's. */
  static async load(compiled: WebAssembly.Module): Promise<Link> {
    const module = await new Promise<HostModule>((resolve, reject) => {
      const instantiateWasm = (
        imports: WebAssembly.Imports,
        done: (instance: WebAssembly.Instance) => void,
      ) => {
        WebAssembly.instantiate(compiled, imports).then(done).catch(reject);
        return {};
      };
      factory({ instantiateWasm }).then(resolve, reject);
    });
    return new Link(module);
  }

  /** Puts bytes into the module's buffer; how many. */
  put(bytes: Uint8Array): number {
    const place = this.module._page_buffer(bytes.length);
    this.module.HEAPU8.set(bytes, place);
    return bytes.length;
  }

  /** Makes room in the buffer; how much. */
  room(length: number): number {
    this.module._page_buffer(length);
    return length;
  }

  /** A view of the first bytes of the buffer, good until the next call. */
  view(length: number): Uint8Array {
    const place = this.module._page_buffer(length);
    return this.module.HEAPU8.subarray(place, place + length);
  }

  /** The sentence that a result below 0 stands for. */
  sentence(result: number): string {
    return new TextDecoder().decode(this.view(-result).slice());
  }

  /** Passes on what came of a call; gives its result back. */
  after<T>(result: T): T {
    const signals = this.module._page_signals();
    let lines = signals & ~(1 << TURN);
    for (let line = 0; lines !== 0; line++, lines >>>= 1) {
      if (lines & 1) this.onRaise(line);
    }
    if (signals & (1 << TURN)) this.onTurn();
    return result;
  }
}
