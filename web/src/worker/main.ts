/** The worker's script: boots, and then does what the page asks for. */
import { LoadError } from "../parts/failure.ts";
import { received } from "../parts/fetching.ts";
import type { Loaded } from "../parts/parts.ts";
import { WorkerMachine } from "./machine.ts";
import type { BootRequest, Failure, Notice, Request } from "../protocol.ts";

interface Scope {
  postMessage(notice: Notice, transfer: Transferable[]): void;
  onmessage: (event: MessageEvent<Request>) => void;
  addEventListener(
    type: "unhandledrejection",
    listener: (event: PromiseRejectionEvent) => void,
  ): void;
}
const scope = self as unknown as Scope;

let machine: WorkerMachine | undefined;
/** What is asked for before there is a machine. */
const early: Request[] = [];

function post(notice: Notice, transfer: Transferable[] = []): void {
  scope.postMessage(notice, transfer);
}

let setLoading!: (loading: Promise<Loaded>) => void;
const loading = new Promise<Loaded>((resolve) => (setLoading = resolve));

async function boot(request: BootRequest): Promise<void> {
  try {
    machine = await WorkerMachine.boot(request, loading, post);
    for (const request of early.splice(0)) machine.request(request);
  } catch (error) {
    post({ type: "failed", error: failure(error) });
  }
}

scope.onmessage = ({ data }) => {
  if (data.type === "boot") void boot(data);
  else if (data.type === "parts") setLoading(received(data.from));
  else if (machine) machine.request(data);
  else early.push(data);
};

// A bug of ours: the page shows it rather than wait for ever.
scope.addEventListener("unhandledrejection", (event) => {
  post({ type: "failed", error: failure(event.reason) });
});

function failure(error: unknown): Failure {
  if (error instanceof LoadError) return error.failure;
  // What WebAssembly.Memory throws when there is none; else what the engine says of
  // its options.
  if (error instanceof RangeError) {
    if (!/alloc|WebAssembly/.test(error.message)) {
      return { kind: "argument", message: `The machine cannot be built: ${error.message}.` };
    }
    return { kind: "memory", message: `The machine does not fit: ${error.message}.` };
  }
  return {
    kind: "crash",
    message: error instanceof Error ? (error.stack ?? error.message) : `${error}`,
  };
}
