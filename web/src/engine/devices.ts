/**
 * What the machine is connected to: everything the kernel asks of its host that
 * is no business of the engine's. Arrays are views into the kernel's memory and
 * valid during the call only; errors are negative errnos.
 */
export interface Devices {
  /** Bytes of the kernel log. */
  print(text: Uint8Array): void;
  random(into: Uint8Array): void;
  /** Bytes read, 0 at the end. */
  streamRead(stream: number, into: Uint8Array): number;
  /** Bytes taken. */
  streamWrite(stream: number, from: Uint8Array): number;
  /** `STREAM_*` bits. */
  streamPoll(stream: number): number;
  /** Rows << 16 | columns. */
  streamWinsize(stream: number): number;
  /** The guest writes no more. */
  streamEnd(stream: number): void;
  streamClose(stream: number): void;
  /** The next stream that changed, or -1. */
  streamEvent(): number;
  /** Length of the next job request, 0 for none. */
  jobNext(into: Uint8Array): number;
  /** The job's program runs, as this process. */
  jobStarted(job: number, pid: number): void;
  /** A wait status and, above it, `JOB_OVER_*`; or why it could not be started. */
  jobExit(job: number, status: number): void;
  /**
   * What a traced task does (`TRACE_*`). `memory` reads of its process's memory
   * and gives the number of bytes there were.
   */
  trace(
    event: number,
    pid: number,
    nr: number,
    ret: number,
    from: Uint8Array,
    memory: (address: number, into: Uint8Array) => number,
  ): void;
  /** init has finished its boot scripts. */
  ready(): void;
  /** init is about to end the machine. */
  shuttingDown(): void;
}

/** A disk of the machine, which the guest sees as a block device. */
export interface Disk {
  /** Its size in sectors of 512 bytes. */
  readonly sectors: number;
  readonly readOnly: boolean;
  /**
   * Reads or writes from `sector` on what follows each other in `parts`: 0, or
   * a negative errno.
   */
  transfer(write: boolean, sector: number, parts: readonly Uint8Array[]): number;
  /** What has been written is kept, whatever happens: 0 or a negative errno. */
  flush(): number;
}

/** How a machine ended. */
export type Outcome =
  | { kind: "halt" | "power-off" | "restart" }
  /** Its memory is an image, as was asked for; its clock showed so many ns. */
  | { kind: "image"; clock: number }
  /** The caller wanted it. */
  | { kind: "stopped" }
  /** The kernel panicked; its log says why. */
  | { kind: "panic" }
  /** The engine or the kernel has a bug: `message` says what trapped. */
  | { kind: "crash"; message: string }
  /** It needed the rest of the kernel, which could not be had: `message` says why. */
  | { kind: "incomplete"; message: string };
