/**
 * What the machine is connected to: everything the kernel asks of its host that
 * is no business of the engine's. Buffers lie in kernel memory and are valid
 * during the call only.
 */
export interface Devices {
  /** Bytes of the kernel log. */
  print(text: Uint8Array): void;
  random(buffer: Uint8Array): void;
  /** Bytes read, 0 at the end, or a negative errno. */
  streamRead(stream: number, buffer: Uint8Array): number;
  /** Bytes taken, or a negative errno. */
  streamWrite(stream: number, bytes: Uint8Array): number;
  streamPoll(stream: number): number;
  /** Rows << 16 | columns. */
  streamWinsize(stream: number): number;
  streamClose(stream: number): void;
  /** The next stream that changed, or -1. */
  streamEvent(): number;
  /** Length of the next job request, 0 for none, or a negative errno. */
  jobNext(buffer: Uint8Array): number;
  jobExit(job: number, status: number): void;
  /** init has finished its boot scripts. */
  ready(): void;
  /** init is about to end the machine. */
  shuttingDown(): void;
}

/** How a machine ended. */
export type Outcome =
  | { kind: "halt" | "power-off" | "restart" }
  | { kind: "panic" }
  /** The engine or the kernel has a bug: `message` says what trapped. */
  | { kind: "crash"; message: string };
