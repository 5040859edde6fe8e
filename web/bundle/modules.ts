/** The modules that machines of the build are made of. */
import { readFileSync } from "node:fs";
import type { Glue } from "../src/engine/glue.ts";

export function module(file: string): WebAssembly.Module {
  return new WebAssembly.Module(new Uint8Array(readFileSync(file)));
}

/** Of the folder with a machine's parts. */
export function glue(parts: string): Glue {
  const one = (name: string) => module(`${parts}/glue/${name}.wasm`);
  return { access: one("access"), cpu: one("cpu"), program: one("program"), user: one("user") };
}
