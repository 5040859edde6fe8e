/** The worker's script: boots, and then does what the page asks for. */
import { received, type Coming } from "../parts/fetching.ts";
import { partNames, type Loaded } from "../parts/parts.ts";
import { failureOf } from "./failure.ts";
import { WorkerMachine } from "./machine.ts";
import type { BootRequest, Notice, Request } from "../protocol.ts";

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

const { promise: coming, resolve: setComing } = Promise.withResolvers<Coming<Loaded>>();

async function boot(request: BootRequest): Promise<void> {
  try {
    machine = await WorkerMachine.boot(request, await coming, post);
    for (const request of early.splice(0)) machine.request(request);
  } catch (error) {
    post({ type: "failed", error: failureOf(error) });
  }
}

scope.onmessage = ({ data }) => {
  if (data.type === "boot") void boot(data);
  else if (data.type === "parts") setComing(received<Loaded>(data.from, partNames));
  else if (machine) machine.request(data);
  else early.push(data);
};

// A bug of ours: the page shows it rather than wait for ever.
scope.addEventListener("unhandledrejection", (event) => {
  post({ type: "failed", error: failureOf(event.reason) });
});
