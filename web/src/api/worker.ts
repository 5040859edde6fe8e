/** The worker of a machine, as the machine sees it: a port, and how it can break. */
import { startWorker } from "../parts/script.ts";
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
    const worker = startWorker(url, "wasmlinux", (message) =>
      broken(message && `The worker failed: ${message}`),
    );
    worker.onmessage = ({ data }: MessageEvent<Notice>) => notice(data);
    return {
      post: (request, transfer = []) => worker.postMessage(request, transfer),
      terminate: () => worker.terminate(),
    };
  };
}
