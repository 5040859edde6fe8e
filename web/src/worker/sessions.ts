/** Consoles and commands: the page's ids, the host's ids, and the bytes between. */
import { EACCES, ENOENT, SIGKILL } from "../errno.ts";
import { Inlet } from "./inlet.ts";
import { Outlet } from "./outlet.ts";
import type { Host } from "../host/host.ts";
import type { Notice, Request, Stream } from "../protocol.ts";

type Post = (notice: Notice, transfer?: Transferable[]) => void;

/** What both have. */
export interface Session {
  readonly input: Inlet;
  /** The page has consumed output. */
  took(stream: Stream, bytes: number): void;
  /** The host says that it is worth looking again. True: it is over. */
  changed(): boolean;
  close(): void;
}

export class ConsoleSession implements Session {
  readonly input: Inlet;
  readonly hostId: number;
  private readonly output: Outlet;
  private readonly id: number;
  private readonly host: Host;
  private readonly post: Post;

  constructor(host: Host, post: Post, { id, rows, columns }: Extract<Request, { type: "open" }>) {
    this.host = host;
    this.post = post;
    this.id = id;
    const console = host.openConsole(rows, columns);
    this.hostId = console;
    this.input = new Inlet(
      (bytes) => host.press(console, bytes),
      (bytes) => post({ type: "took", id, bytes }),
    );
    this.output = new Outlet((most) => host.shown(console, most), send(post, id, 1));
  }

  resize(rows: number, columns: number): void {
    this.host.resize(this.hostId, rows, columns);
  }

  took(_stream: Stream, bytes: number): void {
    this.output.took(bytes);
  }

  changed(): boolean {
    this.input.pump();
    this.output.pump();
    const state = this.host.consoleState(this.hostId);
    if (state.kind === "open" || !this.output.drained) return false;
    this.post({
      type: "closed",
      id: this.id,
      reason: state.kind === "failed" ? state.message : "its shell has ended",
    });
    return true;
  }

  close(): void {
    this.host.closeConsole(this.hostId);
  }
}

export class CommandSession implements Session {
  readonly input: Inlet;
  readonly hostId: number;
  private readonly outputs: Record<Stream, Outlet>;
  private readonly request: Extract<Request, { type: "run" }>;
  private readonly host: Host;
  private readonly post: Post;

  constructor(host: Host, post: Post, request: Extract<Request, { type: "run" }>) {
    this.host = host;
    this.post = post;
    this.request = request;
    const { id, argv, env, cwd } = request;
    const task = host.run({ argv, env, cwd });
    this.hostId = task;
    this.input = new Inlet(
      (bytes) => host.feed(task, bytes),
      (bytes) => post({ type: "took", id, bytes }),
      () => host.endInput(task),
    );
    const outlet = (stream: Stream) =>
      new Outlet((most) => host.take(task, stream, most), send(post, id, stream));
    this.outputs = { 1: outlet(1), 2: outlet(2) };
  }

  took(stream: Stream, bytes: number): void {
    this.outputs[stream].took(bytes);
  }

  changed(): boolean {
    const { host, hostId, outputs } = this;
    const { id, argv } = this.request;
    this.input.pump();
    outputs[1].pump();
    outputs[2].pump();
    const state = host.taskState(hostId);
    if (state.kind === "asked" || state.kind === "runs") return false;
    if (state.kind === "not-started") {
      const message = `${argv[0]}: ${reason(state.errno)}`;
      this.post({ type: "refused", id, error: { kind: "not-started", message } });
      return true;
    }
    // Lost: the machine has ended, and the page hears of that.
    if (state.kind === "lost") return true;
    if (!outputs[1].drained || !outputs[2].drained) return false;
    const signal = state.kind === "signal" ? state.signal : 0;
    this.post({
      type: "exit",
      id,
      code: state.kind === "exit" ? state.code : 128 + signal,
      signal,
    });
    return true;
  }

  close(): void {
    this.host.signal(this.hostId, SIGKILL);
  }
}

function send(post: Post, id: number, stream: Stream): (bytes: Uint8Array) => void {
  return (bytes) => post({ type: "output", id, stream, bytes }, [bytes.buffer]);
}

function reason(errno: number): string {
  if (errno === ENOENT) return "no such file or directory";
  if (errno === EACCES) return "permission denied";
  return `the guest cannot start it (error ${errno})`;
}
