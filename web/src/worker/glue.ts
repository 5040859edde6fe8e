/** The engine's glue modules, whose bytes are in the worker's script. */
import access from "virtual:glue/access.wasm";
import cpu from "virtual:glue/cpu.wasm";
import program from "virtual:glue/program.wasm";
import user from "virtual:glue/user.wasm";
import type { Glue } from "../engine/machine.ts";

/** A few hundred bytes each: nothing to wait for. */
export function glue(): Glue {
  const module = (bytes: Uint8Array<ArrayBuffer>) => new WebAssembly.Module(bytes);
  return {
    access: module(access),
    cpu: module(cpu),
    program: module(program),
    user: module(user),
  };
}
