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

async function fetchAll({ wanted, to }: FetchRequest): Promise<void> {
  const deliver = (delivery: Delivery) => to.postMessage(delivery);
  try {
    const base = new URL(import.meta.url);
    deliver({
      arrived: await load(wanted, base, (loaded, total) => scope.postMessage({ loaded, total })),
    });
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    deliver({ failure: error.failure });
  }
  scope.close();
}

scope.onmessage = ({ data }) => void fetchAll(data);
