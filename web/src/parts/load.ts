/** Gets the parts of a machine, all at once, and tells how far that is. */
import type { Part, Parts } from "./parts.ts";
import type { Failure } from "../protocol.ts";

/** A failure that the page can name. */
export class LoadError extends Error {
  readonly failure: Failure;

  constructor(kind: Failure["kind"], message: string) {
    super(message);
    this.failure = { kind, message };
  }
}

/** All that a boot needs. */
export interface Loaded {
  kernel: WebAssembly.Module;
  busybox: WebAssembly.Module;
  host: WebAssembly.Module;
  rootfs: Uint8Array;
  /** The file system of a new disk. */
  disk: Uint8Array;
}

type Count = (bytes: number) => void;

/** From the folder `base`. */
export async function load(
  parts: Parts,
  base: URL,
  progress: (loaded: number, total: number) => void,
): Promise<Loaded> {
  const { kernel, busybox, host, rootfs, disk } = parts;
  const all = [kernel, busybox, host, rootfs, disk];
  const total = all.reduce((sum, { bytes }) => sum + bytes, 0);
  let loaded = 0;
  const count = (bytes: number) => progress((loaded += bytes), total);
  const modules = Promise.all([kernel, busybox, host].map((part) => compile(part, base, count)));
  const files = Promise.all([rootfs, disk].map((part) => bytes(part, base, count)));
  const [[kernelModule, busyboxModule, hostModule], [rootfsBytes, diskBytes]] = await Promise.all([
    modules,
    files,
  ]);
  return {
    kernel: kernelModule!,
    busybox: busyboxModule!,
    host: hostModule!,
    rootfs: rootfsBytes!,
    disk: diskBytes!,
  };
}

/** A part that is a module. It is compiled while it comes in. */
export async function compile(
  part: Part,
  base: URL,
  count: Count = () => {},
): Promise<WebAssembly.Module> {
  const answer = await get(part, base);
  try {
    const typed = answer.headers.get("content-type")?.split(";")[0] === "application/wasm";
    // A host that does not know the type costs time.
    if (!typed) return await WebAssembly.compile(await counted(answer, count).arrayBuffer());
    if (!isKept()) return await WebAssembly.compileStreaming(counted(answer, count));
    // As it came, past JavaScript.
    const module = await WebAssembly.compileStreaming(answer);
    count(part.bytes);
    return module;
  } catch (error) {
    throw broken(part, error);
  }
}

/** Whether files come from the service worker, so that there is nothing to wait for. */
function isKept(): boolean {
  return Boolean(globalThis.navigator.serviceWorker?.controller);
}

async function get(part: Part, base: URL): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(new URL(part.name, base));
  } catch {
    throw new LoadError("download", `${part.name} could not be fetched: is the network up?`);
  }
  if (answer.ok) return answer;
  throw new LoadError("download", `${part.name}: the server says ${answer.status}.`);
}

async function bytes(part: Part, base: URL, count: Count): Promise<Uint8Array> {
  try {
    return new Uint8Array(await counted(await get(part, base), count).arrayBuffer());
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

/**
 * The same answer; its bytes are counted as they pass. Each piece is given back when the
 * next one is asked for: nothing else happens in a page that waits, so what is left to the
 * garbage collector would stay, 10 MB of it.
 */
function counted(answer: Response, count: Count): Response {
  if (!answer.body) return answer;
  const reader = answer.body.getReader();
  let last: Uint8Array<ArrayBuffer> | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await reader.read();
        last?.buffer.transfer(0);
        last = value;
        if (done) return controller.close();
        count(value.length);
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, answer);
}
