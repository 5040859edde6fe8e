/** `wasmlinux.js`: what a page imports. */
import { workerScript } from "./assets.ts";
import { bootRequest } from "./options.ts";
import { PageMachine } from "./machine.ts";
import { load } from "../parts/load.ts";
import { parts } from "../parts/parts.ts";
import { missing, unsupported } from "./support.ts";
import { connectWorker } from "./worker.ts";
import type { Boot, Start } from "./types.ts";

export { MachineError } from "./errors.ts";
export { BROWSERS, missing } from "./support.ts";
export type * from "./types.ts";

export const start: Start = (options = {}) => {
  const lacking = missing();
  if (lacking) throw unsupported(lacking);
  const base = new URL(options.base ?? "./", import.meta.url);
  // From here, as a worker takes its time to begin.
  const loading = load(parts, base, (loaded, total) =>
    options.onProgress?.({ stage: loaded < total ? "download" : "compile", loaded, total }),
  );
  const connect = connectWorker(new URL(workerScript, base));
  return new PageMachine(connect, bootRequest(options), loading, options);
};

export const boot: Boot = async (options) => {
  const machine = start(options);
  await machine.ready;
  return machine;
};
