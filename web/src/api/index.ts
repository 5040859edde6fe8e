/** `wasmlinux.js`: what a page imports. */
import { workerScript } from "./assets.ts";
import { bootRequest } from "./options.ts";
import { PageMachine } from "./machine.ts";
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
  const connect = connectWorker(new URL(workerScript, base));
  return new PageMachine(connect, bootRequest(options), options);
};

export const boot: Boot = async (options) => {
  const machine = start(options);
  await machine.ready;
  return machine;
};
