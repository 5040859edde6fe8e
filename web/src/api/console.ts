/** A console: what a terminal shows and what is typed into it, as byte streams. */
import { Sender } from "./sender.ts";
import type { Port } from "./worker.ts";
import type { Console, Terminal } from "./types.ts";

const encoder = new TextEncoder();

export class ConsoleSession implements Console {
  readonly closed: Promise<string>;
  private settle!: (reason: string) => void;
  private open = true;
  private readonly listeners: ({ dispose(): void } | undefined)[];
  private readonly typed: Sender;
  private readonly id: number;
  private readonly port: Port;
  private readonly terminal: Terminal;

  constructor(id: number, port: Port, terminal: Terminal) {
    this.id = id;
    this.port = port;
    this.terminal = terminal;
    this.closed = new Promise((resolve) => (this.settle = resolve));
    this.typed = new Sender((bytes) => port.post({ type: "input", id, bytes }, [bytes.buffer]));
    this.listeners = [
      terminal.onData((text) => void this.input(text)),
      // Mouse reports of old protocols: characters are bytes.
      terminal.onBinary?.((text) => void this.input(Uint8Array.from(text, (c) => c.charCodeAt(0)))),
      terminal.onResize?.(({ rows, cols }) => this.resize(rows, cols)),
    ];
    port.post({ type: "open", id, rows: terminal.rows, columns: terminal.cols });
  }

  input(data: string | Uint8Array): Promise<void> {
    // What is sent is transferred, so a caller's array is never sent itself.
    return this.typed.send(typeof data === "string" ? encoder.encode(data) : data);
  }

  resize(rows: number, columns: number): void {
    if (this.open) this.port.post({ type: "resize", id: this.id, rows, columns });
  }

  close(): void {
    if (!this.open) return;
    this.port.post({ type: "close", id: this.id });
    this.end("closed");
  }

  /** From the worker. */
  output(bytes: Uint8Array): void {
    const { length } = bytes;
    this.terminal.write(bytes, () => {
      if (this.open) this.port.post({ type: "took", id: this.id, stream: 1, bytes: length });
    });
  }

  took(bytes: number): void {
    this.typed.took(bytes);
  }

  end(reason: string): void {
    if (!this.open) return;
    this.open = false;
    this.typed.close();
    for (const listener of this.listeners) listener?.dispose();
    this.settle(reason);
  }
}
