/** Output on its way to the page: at most {@link WINDOW} bytes are unread there. */
import { WINDOW } from "../protocol.ts";

/** Largest piece in one message. */
const PIECE = 32 << 10;

export class Outlet {
  private room = WINDOW;
  private empty = false;
  private readonly send: (bytes: Uint8Array) => void;
  private readonly take: (most: number) => Uint8Array | undefined;

  /** `take` gives at most so many bytes of its own, or undefined when there are none now. */
  constructor(take: (most: number) => Uint8Array | undefined, send: (bytes: Uint8Array) => void) {
    this.take = take;
    this.send = send;
  }

  /** Whether the last look has found nothing more: at the end, everything is sent. */
  get drained(): boolean {
    return this.empty;
  }

  /** Sends what there is and what fits. */
  pump(): void {
    this.empty = false;
    while (this.room > 0) {
      const bytes = this.take(Math.min(this.room, PIECE));
      if (!bytes || bytes.length === 0) {
        this.empty = true;
        return;
      }
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
