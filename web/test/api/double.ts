/** A worker that is played by the test: what a page posts, and what it is told. */
import { PageMachine, type Callbacks } from "../../src/api/machine.ts";
import type { Handlers } from "../../src/api/worker.ts";
import type { BootRequest, Failure, Notice, Request } from "../../src/protocol.ts";

export const BOOT: BootRequest = {
  type: "boot",
  memory: 1,
  processMemory: 1,
  userMemory: 1,
  kernelParameters: "",
  files: [],
  programs: [],
  disk: "",
};

export class Double {
  readonly posted: Request[] = [];
  terminated = false;
  readonly delivery = new MessageChannel().port1;
  breakFetcher!: (failure: Failure) => void;
  cancelled = false;
  /** Answers to what is posted. */
  onPost: (request: Request) => void = () => {};
  readonly machine: PageMachine;
  private handlers!: Handlers;

  constructor(callbacks: Callbacks = {}, boot: Promise<BootRequest> = Promise.resolve(BOOT)) {
    this.machine = new PageMachine(
      (handlers) => {
        this.handlers = handlers;
        return {
          post: (request) => {
            this.posted.push(request);
            this.onPost(request);
          },
          terminate: () => (this.terminated = true),
        };
      },
      (broken) => {
        this.breakFetcher = broken;
        return { delivery: this.delivery, cancel: () => (this.cancelled = true) };
      },
      boot,
      callbacks,
    );
  }

  tell(notice: Notice): void {
    this.handlers.notice(notice);
  }

  break(message: string): void {
    this.handlers.broken(message);
  }

  last<T extends Request["type"]>(type: T): Extract<Request, { type: T }> {
    const found = this.posted.findLast((request) => request.type === type);
    if (!found) throw new Error(`nothing of type ${type} was posted`);
    return found as Extract<Request, { type: T }>;
  }
}

/** A terminal that notes what it is to show, and shows it when told. */
export class Screen {
  rows = 24;
  cols = 80;
  shown = "";
  type!: (data: string) => void;
  resized!: (size: { rows: number; cols: number }) => void;
  listening = 0;
  private readonly pending: (() => void)[] = [];

  write(data: Uint8Array, done: () => void): void {
    this.shown += new TextDecoder().decode(data);
    this.pending.push(done);
  }

  draw(): void {
    for (const done of this.pending.splice(0)) done();
  }

  onData(listener: (data: string) => void) {
    this.type = listener;
    return this.listen();
  }

  onResize(listener: (size: { rows: number; cols: number }) => void) {
    this.resized = listener;
    return this.listen();
  }

  private listen() {
    this.listening++;
    return { dispose: () => void this.listening-- };
  }
}

export const bytes = (text: string) => new TextEncoder().encode(text);
