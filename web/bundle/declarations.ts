/** `wasmlinux.d.ts`: the public types as they stand, and the values that have them. */
import fs from "node:fs";
import path from "node:path";

const VALUES = `
export declare const boot: Boot;
export declare const start: Start;
/** Undefined, or what this browser lacks for a machine. */
export declare function missing(): string | undefined;
export declare const BROWSERS: readonly { readonly name: string; readonly version: string }[];
export declare const MachineError: {
  new (kind: ErrorKind, message: string): MachineError;
  readonly prototype: MachineError;
};
`;

export function declarations(web: string): string {
  return fs.readFileSync(path.join(web, "src/api/types.ts"), "utf8") + VALUES;
}
