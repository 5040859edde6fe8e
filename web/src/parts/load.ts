/** Fetches parts, all at once, and tells how far that is. */
import type { Part } from "./parts.ts";
import { LoadError } from "./failure.ts";

/** A part that is code is a module, any other its bytes. */
export type Arrived = WebAssembly.Module | Uint8Array;

export interface Wanted {
  parts: Record<string, Part>;
  /** Progress is told piece by piece; otherwise part by part, which costs less. */
  pieces: boolean;
}

type Count = (bytes: number) => void;

/** From the folder `base`; each is handed on when it is there. */
export async function load(
  { parts, pieces }: Wanted,
  base: URL,
  arrived: (name: string, part: Arrived) => void,
  progress: (loaded: number, total: number) => void,
): Promise<void> {
  const total = Object.values(parts).reduce((sum, { bytes }) => sum + bytes, 0);
  let loaded = 0;
  const count = (bytes: number) => progress((loaded += bytes), total);
  const all = Object.entries(parts).map(async ([name, part]) => {
    const answer = await get(part, base);
    arrived(name, await take(part, pieces ? counted(answer, count) : answer));
    if (!pieces) count(part.bytes);
  });
  await Promise.all(all);
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

/** A module is compiled while it comes in, unless the server does not say what it is. */
async function take(part: Part, answer: Response): Promise<Arrived> {
  try {
    if (!part.name.endsWith(".wasm")) return new Uint8Array(await answer.arrayBuffer());
    const typed = answer.headers.get("content-type")?.split(";")[0] === "application/wasm";
    if (typed) return await WebAssembly.compileStreaming(answer);
    return await WebAssembly.compile(await answer.arrayBuffer());
  } catch (error) {
    throw broken(part, error);
  }
}

function broken(part: Part, error: unknown): LoadError {
  if (error instanceof RangeError) {
    return new LoadError("memory", `The browser has no memory to compile ${part.name}.`);
  }
  const why = error instanceof WebAssembly.CompileError ? "is damaged" : "broke off";
  return new LoadError("download", `The download of ${part.name} ${why}.`);
}

/** The same answer; its bytes are counted as they pass. */
function counted(answer: Response, count: Count): Response {
  if (!answer.body) return answer;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, controller) {
      count(piece.length);
      controller.enqueue(piece);
    },
  });
  return new Response(answer.body.pipeThrough(counter), answer);
}
