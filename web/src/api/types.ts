/**
 * A Linux machine on a web page.
 *
 * ```js
 * import { boot } from "./wasmlinux.js";
 * const machine = await boot();
 * const { stdout } = await machine.run("uname -a");
 * ```
 */

export interface BootOptions {
  /** The folder with the files of `web/dist`; that of `wasmlinux.js` if not given. */
  base?: string | URL;
  /** Bytes of the kernel's memory, in which files lie, too: 16 MiB to 2 GiB; 64 MiB. */
  memory?: number;
  /** Bytes that one process can have: 1 MiB to 4 GiB; 1 GiB. */
  processMemory?: number;
  /** Bytes that all processes can have together; 1 GiB. */
  userMemory?: number;
  /** Files of the guest by absolute path. Missing folders are made. */
  files?: Record<string, string | Uint8Array | FileOptions>;
  /**
   * Programs that `wasmlinux-cc` has built and `wasmlinux-instrument` prepared: they
   * are in /usr/local/bin when the machine has booted. A URL's last part is the name.
   */
  programs?: (string | URL | ProgramOptions)[];
  /**
   * A disk that the browser keeps for this origin under this name, made when there is
   * none: it is on /persist. What a write has written there is kept when the write has
   * returned, however the page ends. One machine at a time has it; see
   * {@link Machine.disk}.
   */
  disk?: string;
  /** Further parameters for the kernel, separated by spaces. */
  kernelParameters?: string;
  onProgress?: (progress: Progress) => void;
  /** The kernel log as it is written: any number of lines. */
  onLog?: (text: string) => void;
}

export interface FileOptions {
  content: string | Uint8Array;
  /** Permissions; 0o644. */
  mode?: number;
}

export interface ProgramOptions {
  name: string;
  content: Uint8Array;
}

export interface Progress {
  stage: "download" | "compile" | "boot";
  /** Bytes. */
  loaded: number;
  total: number;
}

export interface Machine {
  /** Settles when the guest has booted; rejects with a {@link MachineError}. */
  readonly ready: Promise<void>;
  /**
   * Settles when it is known whether the machine has the disk that was asked for: with
   * "" if so, else with the reason in one sentence. The machine boots without it then.
   */
  readonly disk: Promise<string>;
  /** Settles when the machine has ended, however that came. */
  readonly outcome: Promise<Outcome>;
  /** The kernel log so far; the oldest lines go when it is longer than 1 MiB. */
  readonly log: string;

  /**
   * A console: a login shell on a terminal of its own. An xterm.js terminal fits as
   * it is. May be called before the machine is ready.
   */
  terminal(terminal: Terminal): Console;

  /** Runs a command: a string is for the guest's shell, a list is program and arguments. */
  run(command: string | readonly string[], options?: RunOptions): Promise<Result>;

  /** Writes a file in the guest; its folder must be there. */
  writeFile(path: string, content: string | Uint8Array, options?: { mode?: number }): Promise<void>;
  readFile(path: string): Promise<Uint8Array>;

  /** Puts a program into /usr/local/bin; its path there. See {@link BootOptions.programs}. */
  addProgram(source: string | URL | ProgramOptions): Promise<string>;

  /** Asks the guest to power off, and ends it if that takes longer than `patience` ms (5000). */
  shutdown(patience?: number): Promise<Outcome>;
  /** Ends the machine at once and gives everything back. */
  dispose(): void;
}

/** What a console is shown on: xterm.js's `Terminal`, or something of its shape. */
export interface Terminal {
  readonly rows: number;
  readonly cols: number;
  /** Shows output. `done` is to be called when more is wanted. */
  write(data: Uint8Array, done: () => void): void;
  onData(listener: (data: string) => void): { dispose(): void };
  onBinary?(listener: (data: string) => void): { dispose(): void };
  onResize?(listener: (size: { rows: number; cols: number }) => void): { dispose(): void };
}

export interface Console {
  /** Settles when the session is over, with the reason. */
  readonly closed: Promise<string>;
  /** As if typed. Resolves when the guest's side has taken it. */
  input(data: string | Uint8Array): Promise<void>;
  resize(rows: number, columns: number): void;
  /** Hangs up. */
  close(): void;
}

export interface RunOptions {
  stdin?: string | Uint8Array;
  env?: Record<string, string>;
  /** The working directory; /root. */
  cwd?: string;
  /** Kills the command when it aborts. */
  signal?: AbortSignal;
  /** Called with output as it comes; what they take is not in the result. */
  onStdout?: (bytes: Uint8Array) => void | Promise<void>;
  onStderr?: (bytes: Uint8Array) => void | Promise<void>;
}

export interface Result {
  /** Output as text; bytes that are no UTF-8 are replaced. */
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Uint8Array;
  readonly stderrBytes: Uint8Array;
  /** The exit code; 128+n for signal n, as a shell says it. */
  readonly code: number;
  /** Number of the signal that killed it, or 0. */
  readonly signal: number;
}

/** How a machine ended. */
export interface Outcome {
  /** "incomplete": a file that the machine needed could not be fetched any more. */
  kind: "power-off" | "halt" | "restart" | "panic" | "crash" | "incomplete" | "stopped";
  /** What the kernel or the engine said at a panic or a crash; why it is incomplete. */
  message: string;
}

export type ErrorKind =
  /** The browser lacks something; the message names browsers that have it. */
  | "unsupported"
  /** A file could not be fetched. */
  | "download"
  /** The browser has no memory for the machine. */
  | "memory"
  /** Something is broken that should not be. */
  | "crash"
  /** The machine has ended, so it cannot do that. */
  | "ended"
  /** The guest cannot start the command. */
  | "not-started"
  /** The command that should do it failed: no such file, no room. */
  | "failed"
  /** The bytes are no program that can run here; the message says why. */
  | "not-a-program"
  | "aborted"
  /** An argument makes no sense. */
  | "argument";

/** Whatever goes wrong: `message` is one sentence. */
export interface MachineError extends Error {
  readonly kind: ErrorKind;
}

/** Boots a machine and waits until it is ready. */
export type Boot = (options?: BootOptions) => Promise<Machine>;

/** Begins to boot: for those who open a terminal, or show progress, meanwhile. */
export type Start = (options?: BootOptions) => Machine;
