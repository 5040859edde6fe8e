/**
 * The host's side of a machine in a page: consoles, commands, and what the kernel asks
 * of its host. The work is done in Rust (`web/host`), by the code of the native runner.
 *
 * ```text
 *  worker ── open, press, run ... ─► Host ─ Link ─ host.wasm
 *  engine ── host operations ──────►  │
 *         ◄──── onRaise ──────────────┤
 *  worker ◄──── onTurn, changes() ────┘
 * ```
 *
 * The owner calls {@link Host.turn} soon after {@link Host.onTurn} has asked for it, and
 * at the time that the last turn has named; never from within another call, of which
 * host operations are some. After a turn {@link Host.changes} says what to look at.
 */
import type { Devices, Outcome } from "../engine/devices.ts";
import { concat } from "../bytes.ts";
import { commandBytes, fileBytes, type Command, type GuestFile } from "./bytes.ts";
import { Link } from "./link.ts";

export type { Command, GuestFile };

/** Worth looking at again: output, room for input, or an end. */
export type Change = { kind: "console" | "command"; id: number } | { kind: "stop"; id: 0 };

export type ConsoleState = { kind: "open" | "ended" } | { kind: "failed"; message: string };

export type TaskState =
  /** Waits for the guest's boot, or is being started. */
  | { kind: "asked" }
  | { kind: "runs"; pid: number }
  | { kind: "exit"; code: number }
  | { kind: "signal"; signal: number }
  /** The number is Linux's. */
  | { kind: "not-started"; errno: number }
  /** The machine has ended before it. */
  | { kind: "lost" };

/** In the order that `page_finish` knows. */
const OUTCOMES = ["halt", "power-off", "restart", "stopped", "panic", "crash"];
/** Largest piece that `getRandomValues` fills. */
const RANDOM = 65536;

function known(kind: Outcome["kind"]): string {
  if (kind === "incomplete") return "crash";
  return kind === "image" ? "halt" : kind;
}

export class Host implements Devices {
  /** The guest has booted: what was asked for begins. */
  onReady: () => void = () => {};
  /** Bytes of the kernel's log. */
  onLog: (text: Uint8Array) => void = () => {};
  private readonly link: Link;

  private constructor(link: Link) {
    this.link = link;
  }

  /** From the compiled `host.wasm`. One for each machine. */
  static async load(compiled: WebAssembly.Module): Promise<Host> {
    return new Host(await Link.load(compiled));
  }

  /** An interrupt line of the kernel's is raised. */
  set onRaise(raise: (line: number) => void) {
    this.link.onRaise = raise;
  }

  /** A turn is wanted soon. */
  set onTurn(ask: () => void) {
    this.link.onTurn = ask;
  }

  /** Does what there is to do; ms until another turn is wanted, or -1 if none is. */
  turn(): number {
    return this.link.after(this.link.module._page_turn());
  }

  /** What has changed. "stop": the guest does not shut down, stop its engine. */
  *changes(): Generator<Change> {
    for (let event; (event = this.link.module._page_event());) {
      const id = event >>> 2;
      if ((event & 3) === 1) yield { kind: "console", id };
      else if ((event & 3) === 2) yield { kind: "command", id };
      else yield { kind: "stop", id: 0 };
    }
  }

  /** Asks the guest to power off; the change "stop" comes when it takes longer. */
  askToShutDown(patience: number): void {
    this.link.module._page_shut_down(patience);
    this.link.after(undefined);
  }

  /** The engine has ended: so do consoles and commands. */
  finish(outcome: Outcome): void {
    const why = "message" in outcome ? outcome.message : "";
    const length = this.link.put(new TextEncoder().encode(why));
    this.link.module._page_finish(OUTCOMES.indexOf(known(outcome.kind)), length);
    this.link.after(undefined);
  }

  /** The root file system with more files. Throws what is wrong with them. */
  initrd(rootfs: Uint8Array, files: readonly GuestFile[]): Uint8Array {
    if (files.length === 0) return rootfs;
    const more = fileBytes(files);
    this.link.put(concat([rootfs, more]));
    return this.result(this.link.module._page_initrd(rootfs.length, more.length));
  }

  /** The same for a guest that has its root file system: only the further files. */
  further(rootfs: Uint8Array, files: readonly GuestFile[]): Uint8Array {
    // They begin at a multiple of four bytes.
    return this.initrd(rootfs, files).subarray((rootfs.length + 3) & ~3);
  }

  /** The kernel's command line: bytes for all processes, and further parameters. */
  commandLine(userMemory: number, parameters: string): string {
    const length = this.link.put(new TextEncoder().encode(parameters));
    const line = this.result(this.link.module._page_command_line(userMemory, length));
    return new TextDecoder().decode(line);
  }

  private result(length: number): Uint8Array {
    return this.link.view(this.checked(length)).slice();
  }

  private checked(result: number): number {
    if (result < 0) throw new Error(this.link.sentence(result));
    return result;
  }

  // Consoles.

  /** A new console with a login shell: its id. */
  openConsole(rows: number, columns: number): number {
    return this.link.after(this.checked(this.link.module._page_console_open(rows, columns)));
  }

  /** Types; how many bytes there was room for. After it was less, a change comes. */
  press(console: number, keys: Uint8Array): number {
    return this.link.after(this.link.module._page_console_press(console, this.link.put(keys)));
  }

  /** Takes at most so many bytes to be shown; undefined if there are none now. */
  shown(console: number, most: number): Uint8Array | undefined {
    const n = this.link.module._page_console_shown(console, this.link.room(most));
    if (n === 0) return undefined;
    return this.link.after(this.link.view(n).slice());
  }

  /** When it is not open any more there may still be something to be shown. */
  consoleState(console: number): ConsoleState {
    const state = this.link.module._page_console_state(console);
    if (state < 0) return { kind: "failed", message: this.link.sentence(state) };
    return { kind: state === 1 ? "open" : "ended" };
  }

  resize(console: number, rows: number, columns: number): void {
    this.link.module._page_console_resize(console, rows, columns);
    this.link.after(undefined);
  }

  /** Hangs up, if it has not ended, and forgets it. */
  closeConsole(console: number): void {
    this.link.module._page_console_close(console);
    this.link.after(undefined);
  }

  // Commands.

  /** Asks the guest to run a command: its id. Throws what is wrong with it. */
  run(command: Command): number {
    const length = this.link.put(commandBytes(command));
    return this.link.after(this.checked(this.link.module._page_task_run(length)));
  }

  /** Input; how many bytes there was room for. After it was less, a change comes. */
  feed(task: number, bytes: Uint8Array): number {
    return this.link.after(this.link.module._page_task_feed(task, this.link.put(bytes)));
  }

  endInput(task: number): void {
    this.link.module._page_task_end_input(task);
    this.link.after(undefined);
  }

  /** Takes output of stdout (1) or stderr (2); undefined if there is none now. */
  take(task: number, output: 1 | 2, most: number): Uint8Array | undefined {
    const n = this.link.module._page_task_take(task, output - 1, this.link.room(most));
    if (n <= 0) return undefined;
    return this.link.after(this.link.view(n).slice());
  }

  /** When it has ended there may still be output. */
  taskState(task: number): TaskState {
    const state = this.link.module._page_task_state(task) >>> 0;
    const value = state >>> 3;
    switch (state & 7) {
      case 0:
        return { kind: "asked" };
      case 1:
        return { kind: "runs", pid: value };
      case 2:
        return { kind: "exit", code: value };
      case 3:
        return { kind: "signal", signal: value };
      case 4:
        return { kind: "not-started", errno: value };
      default:
        return { kind: "lost" };
    }
  }

  /** Sends the command's process a signal. */
  signal(task: number, signal: number): void {
    this.link.module._page_task_signal(task, signal);
    this.link.after(undefined);
  }

  /** Closes its streams and forgets it; the command itself goes on. */
  forget(task: number): void {
    this.link.module._page_task_forget(task);
    this.link.after(undefined);
  }

  // Host operations: see Devices.

  print(text: Uint8Array): void {
    this.onLog(text.slice());
  }

  random(into: Uint8Array): void {
    for (let at = 0; at < into.length; at += RANDOM) {
      crypto.getRandomValues(into.subarray(at, at + RANDOM) as Uint8Array<ArrayBuffer>);
    }
  }

  streamRead(stream: number, into: Uint8Array): number {
    const n = this.link.module._page_stream_read(stream, this.link.room(into.length));
    if (n > 0) into.set(this.link.view(n));
    return this.link.after(n);
  }

  streamWrite(stream: number, from: Uint8Array): number {
    return this.link.after(this.link.module._page_stream_write(stream, this.link.put(from)));
  }

  streamPoll(stream: number): number {
    return this.link.after(this.link.module._page_stream_poll(stream));
  }

  streamWinsize(stream: number): number {
    return this.link.module._page_stream_winsize(stream);
  }

  streamEnd(stream: number): void {
    this.link.module._page_stream_end(stream);
    this.link.after(undefined);
  }

  streamClose(stream: number): void {
    this.link.module._page_stream_close(stream);
    this.link.after(undefined);
  }

  streamEvent(): number {
    return this.link.module._page_stream_event();
  }

  jobNext(into: Uint8Array): number {
    const n = this.link.module._page_job_next(into.length);
    if (n > 0) into.set(this.link.view(n));
    return this.link.after(n);
  }

  jobStarted(job: number, pid: number): void {
    this.link.module._page_job_started(job, pid);
    this.link.after(undefined);
  }

  jobExit(job: number, status: number): void {
    this.link.module._page_job_exit(job, status);
    this.link.after(undefined);
  }

  /** No command of a page's asks for a trace. */
  trace(): void {}

  ready(): void {
    this.link.module._page_ready();
    this.link.after(undefined);
    this.onReady();
  }

  shuttingDown(): void {
    this.link.module._page_shutting_down();
    this.link.after(undefined);
  }
}
