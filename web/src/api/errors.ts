/** The one type of error that this library throws. */
import type { ErrorKind, MachineError as Shape } from "./types.ts";

export class MachineError extends Error implements Shape {
  override readonly name = "MachineError";
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
