import type { Failure } from "../protocol.ts";

/** A failure that the page can name. */
export class LoadError extends Error {
  readonly failure: Failure;

  constructor(kind: Failure["kind"], message: string) {
    super(message);
    this.failure = { kind, message };
  }
}
