/** The worker of a machine, as the machine sees it: a port, and how it can break. */
import type { Notice, Request } from "../protocol.ts";

export interface Port {
  post(request: Request, transfer?: Transferable[]): void;
  /** Ends it at once. */
  terminate(): void;
}

export interface Handlers {
  notice(notice: Notice): void;
  /** The worker cannot be loaded, or has thrown: no notice will come any more. */
  broken(message: string): void;
}

export type Connect = (handlers: Handlers) => Port;

/** Starts the worker script at `url`. */
export function connectWorker(url: URL): Connect {
  return ({ notice, broken }) => {
    const local = url.origin === globalThis.location?.origin;
    // A worker's script must be of the page's own origin; what it imports need not.
    const script = local
      ? url
      : URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], SCRIPT));
    const worker = new Worker(script, { type: "module", name: "wasmlinux" });
    worker.onmessage = ({ data }: MessageEvent<Notice>) => notice(data);
    worker.onerror = (event) => {
      event.preventDefault();
      // Without a message the script itself did not come.
      broken(event.message ? `The worker failed: ${event.message}` : "");
    };
    return {
      post: (request, transfer = []) => worker.postMessage(request, transfer),
      terminate: () => worker.terminate(),
    };
  };
}

const SCRIPT = { type: "text/javascript" };
