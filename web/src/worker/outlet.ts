/** Output on its way to the page: at most {@link WINDOW} bytes are unread there. */
import { WINDOW } from "../protocol.ts";

/** Largest piece in one message. */
const PIECE = 32 << 10;

export class Outlet {
  private room = WINDOW;
  private readonly send: (bytes: Uint8Array) => void;
  private readonly take: (most: number) => Uint8Array | undefined;

  /** `take` gives at most so many bytes of its own, or undefined when there are none now. */
  constructor(take: (most: number) => Uint8Array | undefined, send: (bytes: Uint8Array) => void) {
    this.take = take;
    this.send = send;
  }

  /** Sends what there is and what fits. */
  pump(): void {
    while (this.room > 0) {
      const bytes = this.take(Math.min(this.room, PIECE));
      if (!bytes || bytes.length === 0) return;
      this.room -= bytes.length;
      this.send(bytes);
    }
  }

  /** The page has consumed so many. */
  took(bytes: number): void {
    this.room = Math.min(WINDOW, this.room + bytes);
    this.pump();
  }
}
