/**
 * Messages between a page and the worker that holds its machine.
 *
 * ```text
 *  api/*  ── Request ──►  worker/*
 *         ◄── Notice ──
 * ```
 *
 * Ids are the page's: a console or a command has the same one in both
 * directions for as long as either side speaks of it. Byte streams are bounded
 * in both directions: a sender has at most {@link WINDOW} bytes on the way that
 * the other side has not reported as taken. So a page that does not read stops
 * the guest's writer, and a guest that does not read stops the page's.
 */

/** Bytes of a stream that may be on their way, unreported. */
export const WINDOW = 128 << 10;

export interface GuestFile {
  path: string;
  mode: number;
  bytes: Uint8Array;
}

/** A program to be known before the boot. */
export interface GuestProgram {
  /** In /usr/local/bin. */
  name: string;
  bytes: Uint8Array;
}

export interface BootRequest {
  type: "boot";
  /** Bytes of the kernel's memory, of each process, of all processes. */
  memory: number;
  processMemory: number;
  userMemory: number;
  kernelParameters: string;
  files: GuestFile[];
  programs: GuestProgram[];
  /** The disk that is wanted, or "". */
  disk: string;
}

/** Page to worker. */
export type Request =
  | BootRequest
  /** Where what the machine is made of will come from. */
  | { type: "parts"; from: MessagePort }
  | { type: "open"; id: number; rows: number; columns: number }
  | { type: "resize"; id: number; rows: number; columns: number }
  | { type: "run"; id: number; argv: string[]; env: Record<string, string>; cwd: string }
  /** Input of a console or a command. */
  | { type: "input"; id: number; bytes: Uint8Array }
  /** No more input of a command. */
  | { type: "end"; id: number }
  /** Output that has been consumed. */
  | { type: "took"; id: number; stream: Stream; bytes: number }
  /** A console is hung up; a command is killed. */
  | { type: "close"; id: number }
  | { type: "program"; id: number; bytes: Uint8Array }
  | { type: "shutdown" };

/** 1 and 2 as descriptors; a console has only 1. */
export type Stream = 1 | 2;

/** Worker to page. */
export type Notice =
  /** The machine has its parts and boots. */
  | { type: "boots" }
  /** Before the boot: the machine has its disk, or why not. */
  | { type: "disk"; missing: string }
  | { type: "ready" }
  | { type: "log"; text: string }
  | { type: "output"; id: number; stream: Stream; bytes: Uint8Array }
  /** Input that the guest's side has accepted. */
  | { type: "took"; id: number; bytes: number }
  /** A console is over. */
  | { type: "closed"; id: number; reason: string }
  /** A command is over: an exit code, or the signal that killed it. */
  | { type: "exit"; id: number; code: number; signal: number }
  /** A command did not start, or a program is none. */
  | { type: "refused"; id: number; error: Failure }
  | { type: "added"; id: number; stub: Uint8Array }
  | { type: "outcome"; outcome: Ending }
  /** There is no machine, or none any more, for a reason that is not the guest's. */
  | { type: "failed"; error: Failure };

export type FailureKind =
  /** The browser lacks something. */
  | "unsupported"
  /** A file could not be fetched, or is another than the build's. */
  | "download"
  /** No memory for another machine. */
  | "memory"
  /** What was asked for cannot be. */
  | "argument"
  /** A bug of ours, in the worker. */
  | "crash"
  | "not-started"
  | "not-a-program";

export interface Failure {
  kind: FailureKind;
  /** One sentence. */
  message: string;
}

/** How a machine ended. */
export interface Ending {
  kind: "power-off" | "halt" | "restart" | "panic" | "crash" | "incomplete" | "stopped";
  /** Of a panic, a crash, an incomplete machine. */
  message: string;
}
