/** Input from the page that the host has no room for yet: the page bounds how much. */
export class Inlet {
  private readonly queue: Uint8Array[] = [];
  private ended = false;
  private readonly put: (bytes: Uint8Array) => number;
  private readonly took: (bytes: number) => void;
  private readonly finish: () => void;

  constructor(
    /** How many of the bytes were taken. */
    put: (bytes: Uint8Array) => number,
    took: (bytes: number) => void,
    finish: () => void = () => {},
  ) {
    this.put = put;
    this.took = took;
    this.finish = finish;
  }

  push(bytes: Uint8Array): void {
    this.queue.push(bytes);
    this.pump();
  }

  /** Nothing more comes. */
  end(): void {
    this.ended = true;
    this.pump();
  }

  /** To be called when there may be room. */
  pump(): void {
    for (let first = this.queue[0]; first; first = this.queue[0]) {
      const n = this.put(first);
      if (n > 0) this.took(n);
      if (n < first.length) {
        this.queue[0] = first.subarray(n);
        return;
      }
      this.queue.shift();
    }
    if (!this.ended) return;
    this.ended = false;
    this.finish();
  }
}
