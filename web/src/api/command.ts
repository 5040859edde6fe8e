/** A command that runs in the guest: input, outputs, and its end. */
import { concat } from "../bytes.ts";
import { MachineError } from "./errors.ts";
import { Sender } from "./sender.ts";
import type { Port } from "./worker.ts";
import type { Result, RunOptions } from "./types.ts";
import type { Failure, Stream } from "../protocol.ts";

const decoder = new TextDecoder();

export class Command {
  readonly result: Promise<Result>;
  private settle!: (result: Result) => void;
  private fail!: (error: MachineError) => void;
  private readonly typed: Sender;
  private readonly kept: Record<Stream, Uint8Array[]> = { 1: [], 2: [] };
  /** Consumers work one after another, and the result waits for them. */
  private consumed: Promise<void> = Promise.resolve();
  private readonly id: number;
  private readonly port: Port;
  private readonly options: RunOptions;

  constructor(id: number, port: Port, argv: string[], options: RunOptions) {
    this.id = id;
    this.port = port;
    this.options = options;
    this.result = new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
    this.typed = new Sender((bytes) => port.post({ type: "input", id, bytes }, [bytes.buffer]));
    const { env = {}, cwd = "/root", stdin, signal } = options;
    port.post({ type: "run", id, argv, env, cwd });
    const input = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
    void this.feed(input ?? new Uint8Array());
    const abort = () => {
      port.post({ type: "close", id });
      this.fail(new MachineError("aborted", `${argv[0]} was aborted.`));
    };
    signal?.addEventListener("abort", abort, { once: true });
    const forget = () => signal?.removeEventListener("abort", abort);
    this.result.then(forget, forget);
  }

  private async feed(bytes: Uint8Array): Promise<void> {
    await this.typed.send(bytes);
    this.port.post({ type: "end", id: this.id });
  }

  output(stream: Stream, bytes: Uint8Array): void {
    const consumer = stream === 1 ? this.options.onStdout : this.options.onStderr;
    const { length } = bytes;
    const took = () => this.port.post({ type: "took", id: this.id, stream, bytes: length });
    if (!consumer) {
      this.kept[stream].push(bytes);
      took();
      return;
    }
    this.consumed = this.consumed.then(() => consumer(bytes)).then(took);
    this.consumed.catch((error: unknown) => {
      this.port.post({ type: "close", id: this.id });
      this.fail(new MachineError("failed", `A consumer of output failed: ${String(error)}`));
    });
  }

  took(bytes: number): void {
    this.typed.took(bytes);
  }

  exit(code: number, signal: number): void {
    this.typed.close();
    const stdoutBytes = concat(this.kept[1]);
    const stderrBytes = concat(this.kept[2]);
    const result = {
      stdoutBytes,
      stderrBytes,
      stdout: decoder.decode(stdoutBytes),
      stderr: decoder.decode(stderrBytes),
      code,
      signal,
    };
    this.consumed.then(
      () => this.settle(result),
      () => {},
    );
  }

  refuse({ kind, message }: Failure): void {
    this.lose(new MachineError(kind, message));
  }

  lose(error: MachineError): void {
    this.typed.close();
    this.fail(error);
  }
}
