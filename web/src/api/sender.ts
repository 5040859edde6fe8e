/** The sending side of a byte stream: at most {@link WINDOW} bytes are on their way. */
import { WINDOW } from "../protocol.ts";

/** Largest piece: small enough that a keystroke behind it need not wait long. */
const PIECE = 16 << 10;

interface Waiting {
  bytes: Uint8Array;
  /** Of `bytes`: sent. */
  at: number;
  done: () => void;
}

export class Sender {
  private readonly queue: Waiting[] = [];
  /** Sent, not taken; each entry is the end of a `send`, counted from the first byte. */
  private sent = 0;
  private taken = 0;
  private readonly ends: { at: number; done: () => void }[] = [];
  private closed = false;
  private readonly post: (bytes: Uint8Array) => void;

  constructor(post: (bytes: Uint8Array) => void) {
    this.post = post;
  }

  /** Resolves when the other side has taken them, or when there is none any more. */
  send(bytes: Uint8Array): Promise<void> {
    if (this.closed || bytes.length === 0) return Promise.resolve();
    return new Promise((done) => {
      this.queue.push({ bytes, at: 0, done });
      this.pump();
    });
  }

  /** The other side has taken so many more. */
  took(bytes: number): void {
    this.taken += bytes;
    while (this.ends.length > 0 && this.ends[0]!.at <= this.taken) this.ends.shift()!.done();
    this.pump();
  }

  /** Nobody takes anything any more. */
  close(): void {
    this.closed = true;
    for (const { done } of [...this.ends.splice(0), ...this.queue.splice(0)]) done();
  }

  private pump(): void {
    for (let first = this.queue[0]; first; first = this.queue[0]) {
      const room = WINDOW - (this.sent - this.taken);
      if (room <= 0) return;
      const end = Math.min(first.bytes.length, first.at + Math.min(room, PIECE));
      this.post(first.bytes.slice(first.at, end));
      this.sent += end - first.at;
      first.at = end;
      if (end < first.bytes.length) continue;
      this.queue.shift();
      this.ends.push({ at: this.sent, done: first.done });
    }
  }
}
