/** `wasmlinux.js`: what a page imports. */
import { workerScript } from "./assets.ts";
import { bootRequest, goesOn } from "./options.ts";
import { PageMachine, type Fetch } from "./machine.ts";
import { startFetching } from "../parts/fetching.ts";
import { fetcherScript, partsFor } from "../parts/parts.ts";
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
  // What comes from a service worker is there before anybody could read how far it is.
  const wanted = {
    parts: partsFor(goesOn(options)),
    pieces: !globalThis.navigator.serviceWorker?.controller,
  };
  const fetch: Fetch = (broken) =>
    startFetching(new URL(fetcherScript, base), wanted, broken, ({ loaded, total }) =>
      options.onProgress?.({ stage: loaded < total ? "download" : "compile", loaded, total }),
    );
  const connect = connectWorker(new URL(workerScript, base));
  return new PageMachine(connect, fetch, bootRequest(options), options);
};

export const boot: Boot = async (options) => {
  const machine = start(options);
  await machine.ready;
  return machine;
};
