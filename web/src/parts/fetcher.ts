/**
 * A worker's script: fetches parts, hands them on, and ends. What a browser keeps of a
 * download, some twice its size, goes with the agent that asked for it; an agent that
 * stays would have it until its garbage collector had something else to do.
 */
import { LoadError } from "./failure.ts";
import { load } from "./load.ts";
import type { Delivery, FetchRequest, Progressed } from "./fetching.ts";

interface Scope {
  postMessage(progress: Progressed): void;
  onmessage: (event: MessageEvent<FetchRequest>) => void;
  close(): void;
}
const scope = self as unknown as Scope;

/** ms between two words on how far it is: each is drawn. */
const PACE = 100;
let told = -Infinity;

function progress(loaded: number, total: number): void {
  const now = performance.now();
  if (loaded < total && now - told < PACE) return;
  told = now;
  scope.postMessage({ loaded, total });
}

async function fetchAll({ wanted, to }: FetchRequest): Promise<void> {
  const deliver = (delivery: Delivery) => to.postMessage(delivery);
  try {
    await load(
      wanted,
      new URL(import.meta.url),
      (name, arrived) => deliver({ name, arrived }),
      progress,
    );
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    deliver({ failure: error.failure });
  }
  scope.close();
}

scope.onmessage = ({ data }) => void fetchAll(data);
