/** Gets the parts of a machine, all at once, and tells how far that is. */
import { address, type Part, type Parts } from "./parts.ts";
import type { Failure } from "../protocol.ts";

/** A failure that the page can name. */
export class LoadError extends Error {
  readonly failure: Failure;

  constructor(kind: Failure["kind"], message: string) {
    super(message);
    this.failure = { kind, message };
  }
}

export interface Loaded {
  kernel: WebAssembly.Module;
  busybox: WebAssembly.Module;
  host: WebAssembly.Module;
  rootfs: Uint8Array;
  /** The file system of a new disk. */
  disk: Uint8Array;
}

export async function load(
  parts: Parts,
  progress: (loaded: number, total: number) => void,
): Promise<Loaded> {
  const total = Object.values(parts).reduce((sum, { bytes }) => sum + bytes, 0);
  let loaded = 0;
  const count = (bytes: number) => progress((loaded += bytes), total);
  const [kernel, busybox, host, rootfs, disk] = await Promise.all([
    compile(parts.kernel, count),
    compile(parts.busybox, count),
    compile(parts.host, count),
    bytes(parts.rootfs, count),
    bytes(parts.disk, count),
  ]);
  return { kernel, busybox, host, rootfs, disk };
}

async function get(part: Part): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(address(part));
  } catch {
    throw new LoadError("download", `${part.name} could not be fetched: is the network up?`);
  }
  if (answer.ok) return answer;
  throw new LoadError("download", `${part.name}: the server says ${answer.status}.`);
}

async function compile(part: Part, count: (bytes: number) => void): Promise<WebAssembly.Module> {
  const answer = await get(part);
  try {
    const typed = answer.headers.get("content-type")?.split(";")[0] === "application/wasm";
    // Compiles what has come while the rest is on its way. A host that does not know
    // the type costs that.
    return typed
      ? await WebAssembly.compileStreaming(counted(answer, count))
      : await WebAssembly.compile(await counted(answer, count).arrayBuffer());
  } catch (error) {
    throw broken(part, error);
  }
}

async function bytes(part: Part, count: (bytes: number) => void): Promise<Uint8Array> {
  try {
    return new Uint8Array(await counted(await get(part), count).arrayBuffer());
  } catch (error) {
    throw broken(part, error);
  }
}

function broken(part: Part, error: unknown): LoadError {
  if (error instanceof LoadError) return error;
  if (error instanceof RangeError) {
    return new LoadError("memory", `The browser has no memory to compile ${part.name}.`);
  }
  const why = error instanceof WebAssembly.CompileError ? "is damaged" : "broke off";
  return new LoadError("download", `The download of ${part.name} ${why}.`);
}

/** The same answer; its bytes are counted as they pass. */
function counted(answer: Response, count: (bytes: number) => void): Response {
  if (!answer.body) return answer;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      count(chunk.length);
      controller.enqueue(chunk);
    },
  });
  return new Response(answer.body.pipeThrough(counter), answer);
}
