/** What a page is told of an error. */
import { LoadError } from "../parts/failure.ts";
import type { Failure } from "../protocol.ts";

export function failureOf(error: unknown): Failure {
  if (error instanceof LoadError) return error.failure;
  // What WebAssembly.Memory throws when there is none; else what the engine says of
  // its options.
  if (error instanceof RangeError) {
    if (!/alloc|WebAssembly/.test(error.message)) {
      return { kind: "argument", message: `The machine cannot be built: ${error.message}.` };
    }
    return { kind: "memory", message: `The machine does not fit: ${error.message}.` };
  }
  return {
    kind: "crash",
    message: error instanceof Error ? (error.stack ?? error.message) : `${error}`,
  };
}
