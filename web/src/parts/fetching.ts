/**
 * Both sides of a fetcher: who starts it, and who gets what it has fetched.
 *
 * ```text
 *  startFetching ── FetchRequest ──► fetcher.ts ── a Delivery each ──► received
 *        ◄────────── Progressed ────────┘
 * ```
 */
import type { Failure } from "../protocol.ts";
import { LoadError } from "./failure.ts";
import type { Arrived, Wanted } from "./load.ts";
import type { Part } from "./parts.ts";
import { startWorker } from "./script.ts";

export interface FetchRequest {
  wanted: Wanted;
  to: MessagePort;
}

export interface Progressed {
  loaded: number;
  total: number;
}

/** A part, or why no more will come. */
export type Delivery = { name: string; arrived: Arrived } | { failure: Failure };

/** Parts on their way, by name. */
export type Coming<Parts> = { [Name in keyof Parts]: Promise<Parts[Name]> };

export interface Fetching {
  /** Where the parts come: see {@link received}. */
  readonly delivery: MessagePort;
  cancel(): void;
}

/**
 * Starts the fetcher's script at `url`. `broken` hears when nothing will be delivered,
 * as the script itself did not come or has a bug.
 */
export function startFetching(
  url: URL,
  wanted: Wanted,
  broken: (failure: Failure) => void,
  progress: (progress: Progressed) => void = () => {},
): Fetching {
  const { port1: to, port2: delivery } = new MessageChannel();
  const worker = startWorker(url, "wasmlinux fetcher", (message) =>
    broken(
      message
        ? { kind: "crash", message: `The fetcher failed: ${message}` }
        : { kind: "download", message: "The script that fetches the machine could not be loaded." },
    ),
  );
  worker.onmessage = ({ data }: MessageEvent<Progressed>) => progress(data);
  worker.postMessage({ wanted, to } satisfies FetchRequest, [to]);
  return { delivery, cancel: () => worker.terminate() };
}

/** Fetches one part without telling how far that is. Throws a {@link LoadError}. */
export function fetchPart(url: URL, part: Part): Promise<Arrived> {
  return new Promise((resolve, reject) => {
    const broken = ({ kind, message }: Failure) => reject(new LoadError(kind, message));
    const wanted = { parts: { part }, pieces: false };
    const { delivery } = startFetching(url, wanted, broken);
    received<{ part: Arrived }>(delivery, ["part"]).part.then(resolve, reject);
  });
}

/** What a fetcher delivers under these names. Each may fail with a {@link LoadError}. */
export function received<Parts>(
  delivery: MessagePort,
  names: readonly (keyof Parts & string)[],
): Coming<Parts> {
  const waiting = new Map<string, PromiseWithResolvers<Arrived>>();
  for (const name of names) waiting.set(name, Promise.withResolvers());
  delivery.onmessage = ({ data }: MessageEvent<Delivery>) => {
    if ("arrived" in data) {
      waiting.get(data.name)?.resolve(data.arrived);
      waiting.delete(data.name);
    } else {
      const error = new LoadError(data.failure.kind, data.failure.message);
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    }
    if (waiting.size === 0) delivery.close();
  };
  const coming = [...waiting].map(([name, { promise }]) => {
    // Who needs it sees to its failure; not every part is waited for by then.
    promise.catch(() => {});
    return [name, promise];
  });
  return Object.fromEntries(coming) as Coming<Parts>;
}
