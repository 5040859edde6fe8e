/**
 * A machine as its page sees it: ids, and who gets which notice.
 */
import { Command } from "./command.ts";
import { ConsoleSession } from "./console.ts";
import { MachineError } from "./errors.ts";
import { readFile, writeFile } from "./files.ts";
import { Log } from "./log.ts";
import type { Connect, Port } from "./worker.ts";
import type * as api from "./types.ts";
import type { BootRequest, Failure, Notice } from "../protocol.ts";
import type { Fetching } from "../parts/fetching.ts";

/** ms until a machine that does not power off is ended. */
const PATIENCE = 5000;
const PROGRAMS = "/usr/local/bin";

export interface Callbacks {
  onProgress?: ((progress: api.Progress) => void) | undefined;
  onLog?: ((text: string) => void) | undefined;
}

/** Begins to fetch what a machine is made of. */
export type Fetch = (broken: (failure: Failure) => void) => Fetching;

interface Adding {
  settle: (stub: Uint8Array) => void;
  fail: (error: MachineError) => void;
}

export class PageMachine implements api.Machine {
  readonly ready: Promise<void>;
  readonly disk: Promise<string>;
  readonly outcome: Promise<api.Outcome>;
  private settleDisk!: (missing: string) => void;
  private settleReady!: () => void;
  private failReady!: (error: MachineError) => void;
  private settleOutcome!: (outcome: api.Outcome) => void;
  /** Why nothing can be asked of it any more. */
  private over: MachineError | undefined;
  private nextId = 1;
  private readonly sessions = new Map<number, ConsoleSession | Command>();
  private readonly adding = new Map<number, Adding>();
  private readonly kernelLog = new Log();
  private readonly callbacks: Callbacks;
  private readonly port: Port;
  private readonly fetching: Fetching;

  /** `request` may take its time: programs are fetched. */
  constructor(connect: Connect, fetch: Fetch, request: Promise<BootRequest>, callbacks: Callbacks) {
    this.callbacks = callbacks;
    this.ready = new Promise((resolve, reject) => {
      this.settleReady = resolve;
      this.failReady = reject;
    });
    // Who does not wait for it is told by whatever else they ask for.
    this.ready.catch(() => {});
    this.disk = new Promise((resolve) => (this.settleDisk = resolve));
    this.outcome = new Promise((resolve) => (this.settleOutcome = resolve));
    this.port = connect({
      notice: (notice) => this.notice(notice),
      broken: (message) =>
        this.fail(
          message
            ? new MachineError("crash", message)
            : new MachineError("download", "The machine's worker could not be loaded."),
        ),
    });
    this.fetching = fetch(({ kind, message }) => this.fail(new MachineError(kind, message)));
    const from = this.fetching.delivery;
    this.port.post({ type: "parts", from }, [from]);
    request.then(
      (boot) => this.over ?? this.port.post(boot),
      (error) => this.fail(asMachineError(error)),
    );
  }

  get log(): string {
    return this.kernelLog.text();
  }

  terminal(terminal: api.Terminal): api.Console {
    const id = this.nextId++;
    const session = new ConsoleSession(id, this.port, terminal);
    if (this.over) session.end(this.over.message);
    else this.sessions.set(id, session);
    return session;
  }

  run(command: string | readonly string[], options: api.RunOptions = {}): Promise<api.Result> {
    const argv = typeof command === "string" ? ["sh", "-c", command] : [...command];
    if (argv.length === 0 || argv.some((word) => word.includes("\0"))) {
      return Promise.reject(
        new MachineError("argument", "A command is a program and arguments, without NUL."),
      );
    }
    if (this.over) return Promise.reject(this.over);
    if (options.signal?.aborted) {
      return Promise.reject(new MachineError("aborted", `${argv[0]} was aborted.`));
    }
    const id = this.nextId++;
    const session = new Command(id, this.port, argv, options);
    this.sessions.set(id, session);
    return session.result;
  }

  writeFile(path: string, content: string | Uint8Array, { mode = 0o644 } = {}): Promise<void> {
    return writeFile(this, path, content, mode);
  }

  readFile(path: string): Promise<Uint8Array> {
    return readFile(this, path);
  }

  async addProgram(source: string | URL | api.ProgramOptions): Promise<string> {
    const { name, content } = await fetchProgram(source);
    if (this.over) throw this.over;
    const id = this.nextId++;
    const stub = await new Promise<Uint8Array>((settle, fail) => {
      this.adding.set(id, { settle, fail });
      this.port.post({ type: "program", id, bytes: content });
    });
    // The engine has the program; the guest's file is what exec looks at.
    const path = `${PROGRAMS}/${name}`;
    await this.writeFile(path, stub, { mode: 0o755 });
    return path;
  }

  async shutdown(patience = PATIENCE): Promise<api.Outcome> {
    if (!this.over) this.port.post({ type: "shutdown" });
    const timer = setTimeout(() => this.dispose(), patience);
    const outcome = await this.outcome;
    clearTimeout(timer);
    return outcome;
  }

  dispose(): void {
    this.end({ kind: "stopped", message: "" });
  }

  private notice(notice: Notice): void {
    const session = "id" in notice ? this.sessions.get(notice.id) : undefined;
    switch (notice.type) {
      case "boots":
        return this.callbacks.onProgress?.({ stage: "boot", loaded: 0, total: 0 });
      case "disk":
        return this.settleDisk(notice.missing);
      case "ready":
        return this.settleReady();
      case "log":
        this.kernelLog.add(notice.text);
        return this.callbacks.onLog?.(notice.text);
      case "output":
        if (session instanceof Command) return session.output(notice.stream, notice.bytes);
        return session?.output(notice.bytes);
      case "took":
        return session?.took(notice.bytes);
      case "closed":
        this.sessions.delete(notice.id);
        return session instanceof ConsoleSession ? session.end(notice.reason) : undefined;
      case "exit":
        this.sessions.delete(notice.id);
        return session instanceof Command ? session.exit(notice.code, notice.signal) : undefined;
      case "refused":
        this.sessions.delete(notice.id);
        if (session instanceof Command) return session.refuse(notice.error);
        session?.end(notice.error.message);
        return this.added(notice.id)?.fail(
          new MachineError(notice.error.kind, notice.error.message),
        );
      case "added":
        return this.added(notice.id)?.settle(notice.stub);
      case "outcome":
        return this.end(notice.outcome);
      case "failed":
        return this.fail(new MachineError(notice.error.kind, notice.error.message));
    }
  }

  private added(id: number): Adding | undefined {
    const adding = this.adding.get(id);
    this.adding.delete(id);
    return adding;
  }

  private end(outcome: api.Outcome): void {
    this.finish(new MachineError("ended", `The machine has ended: ${said(outcome)}.`), outcome);
  }

  private fail(error: MachineError): void {
    this.finish(error, { kind: "crash", message: error.message });
  }

  private finish(error: MachineError, outcome: api.Outcome): void {
    if (this.over) return;
    this.over = error;
    this.fetching.cancel();
    this.port.terminate();
    this.settleDisk(error.message);
    this.failReady(error);
    for (const session of this.sessions.values()) {
      if (session instanceof Command) session.lose(error);
      else session.end(error.message);
    }
    for (const { fail } of this.adding.values()) fail(error);
    this.sessions.clear();
    this.adding.clear();
    this.settleOutcome(outcome);
  }
}

export async function fetchProgram(
  source: string | URL | api.ProgramOptions,
): Promise<api.ProgramOptions> {
  if (typeof source === "object" && "content" in source) {
    checkName(source.name);
    // A copy: what goes to the worker is not the caller's any more.
    return source;
  }
  const url = new URL(source, globalThis.location?.href);
  const name = url.pathname.slice(url.pathname.lastIndexOf("/") + 1).replace(/\.wasm$/, "");
  checkName(name);
  const answer = await fetch(url).catch(() => undefined);
  if (!answer?.ok) {
    const why = answer ? `the server says ${answer.status}` : "it cannot be reached";
    throw new MachineError("download", `${url.href} could not be fetched: ${why}.`);
  }
  return { name, content: new Uint8Array(await answer.arrayBuffer()) };
}

function checkName(name: string): void {
  if (/^[^/\0]+$/.test(name) && name !== "." && name !== "..") return;
  throw new MachineError("argument", `"${name}" is no name for a program.`);
}

function said({ kind, message }: api.Outcome): string {
  const words = {
    "power-off": "it was powered off",
    halt: "it was halted",
    restart: "it was asked to restart",
    panic: `kernel panic: ${message}`,
    crash: message,
    incomplete: message,
    stopped: "it was stopped",
  };
  return words[kind];
}

function asMachineError(error: unknown): MachineError {
  if (error instanceof MachineError) return error;
  return new MachineError("crash", String(error));
}
