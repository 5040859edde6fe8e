/**
 * Both sides of a fetcher: who starts it, and who gets what it has fetched.
 *
 * ```text
 *  startFetching ── FetchRequest ──► fetcher.ts ── Delivery ──► received
 *        ◄────────── Progressed ────────┘
 * ```
 */
import type { Failure } from "../protocol.ts";
import { LoadError } from "./failure.ts";
import type { Arrived, Wanted } from "./load.ts";
import { startWorker } from "./script.ts";

export interface FetchRequest {
  wanted: Wanted;
  to: MessagePort;
}

export interface Progressed {
  loaded: number;
  total: number;
}

export type Delivery = { arrived: Record<string, Arrived> } | { failure: Failure };

export interface Fetching {
  /** Where the one delivery comes: see {@link received}. */
  readonly delivery: MessagePort;
  cancel(): void;
}

/**
 * Starts the fetcher's script at `url`. `broken` hears when there will be no delivery,
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

/** Fetches parts without telling how far that is. Throws a {@link LoadError}. */
export function fetchParts<Parts>(url: URL, parts: Wanted["parts"]): Promise<Parts> {
  return new Promise((resolve, reject) => {
    const broken = ({ kind, message }: Failure) => reject(new LoadError(kind, message));
    const { delivery } = startFetching(url, { parts, pieces: false }, broken);
    received<Parts>(delivery).then(resolve, reject);
  });
}

/** What a fetcher delivers, by the names it was wanted by. Throws a {@link LoadError}. */
export function received<Parts>(delivery: MessagePort): Promise<Parts> {
  return new Promise((resolve, reject) => {
    delivery.onmessage = ({ data }: MessageEvent<Delivery>) => {
      delivery.close();
      if ("arrived" in data) resolve(data.arrived as Parts);
      else reject(new LoadError(data.failure.kind, data.failure.message));
    };
  });
}
