/**
 * The machine in its worker: engine and host, and what the page wants of them.
 *
 * ```text
 *  page ── Request ─► WorkerMachine ─┬─ sessions ─► Host (Rust) ◄─ host ops ─ Machine (engine)
 *       ◄─ Notice ──                 └─ Turns ──── turn() ┘        raise ──────►┘
 * ```
 *
 * The host works in turns of its own, never on a stack of the guest's.
 */
import { Machine } from "../engine/machine.ts";
import type { Outcome } from "../engine/devices.ts";
import { isBooted } from "../engine/image.ts";
import { Programs } from "../engine/programs.ts";
import { Host } from "../host/host.ts";
import type { Disk } from "../disk/disk.ts";
import { NoDisk, openDisk } from "../disk/open.ts";
import { glue } from "./glue.ts";
import { LoadError } from "../parts/failure.ts";
import { fetchPart, type Coming } from "../parts/fetching.ts";
import {
  fetcherScript,
  restOfBusybox,
  restOfKernel,
  type Loaded,
  type Part,
} from "../parts/parts.ts";
import { failureOf } from "./failure.ts";
import { CommandSession, ConsoleSession, type Session } from "./sessions.ts";
import { stub } from "./stub.ts";
import { Turns } from "./turns.ts";
import type { BootRequest, Ending, Notice, Request } from "../protocol.ts";

type Post = (notice: Notice, transfer?: Transferable[]) => void;

/** ms that a guest may take to power off before its engine is stopped. */
const PATIENCE = 4000;
const PROGRAMS = "/usr/local/bin";
/** ms from the guest's boot to its shell's prompt, which nothing is to delay. */
const BEHIND = 500;

export class WorkerMachine {
  private readonly sessions = new Map<number, Session>();
  /** By the host's ids. */
  private readonly consoles = new Map<number, number>();
  private readonly commands = new Map<number, number>();
  private readonly programs: Programs;
  private readonly host: Host;
  private readonly turns: Turns;
  private readonly engine: Machine;
  private readonly disk: Disk | undefined;
  private readonly post: Post;
  private readonly decoder = new TextDecoder();
  private lastWords = "";

  static async boot(
    request: BootRequest,
    coming: Coming<Loaded>,
    post: Post,
  ): Promise<WorkerMachine> {
    // The disk is found while the parts are on their way.
    const opening = disk0(request, coming.disk, post);
    const host = await Host.load(await coming.host);
    const [kernel, image, rootfs] = await Promise.all([coming.kernel, coming.image, coming.rootfs]);
    const programs = new Programs();
    // The kernel boots meanwhile; until then a person waits for the download.
    coming.busybox.then(
      () => post({ type: "boots" }),
      () => {},
    );
    const failed = (error: unknown) => post({ type: "failed", error: failureOf(error) });
    programs.expect(coming.busybox, failed, () => fetchRest(restOfBusybox));
    const stubs = await Promise.all(
      request.programs.map(async ({ name, bytes }) => {
        const path = `${PROGRAMS}/${name}`;
        return { path, mode: 0o755, bytes: await addProgram(programs, name, bytes) };
      }),
    );
    const disk = await opening;
    return new WorkerMachine(request, kernel, image, rootfs, host, programs, stubs, disk, post);
  }

  private constructor(
    request: BootRequest,
    kernel: WebAssembly.Module,
    image: WebAssembly.Module,
    rootfs: Uint8Array,
    host: Host,
    programs: Programs,
    stubs: BootRequest["files"],
    disk: Disk | undefined,
    post: Post,
  ) {
    this.host = host;
    this.programs = programs;
    this.disk = disk;
    this.post = post;
    this.turns = new Turns(() => this.turn());
    host.onTurn = () => this.turns.ask();
    host.onRaise = (line) => this.engine.raise(line);
    host.onReady = () => {
      post({ type: "ready" });
      // Should it fail, whoever needs it tries again.
      setTimeout(() => this.engine.complete().catch(() => {}), BEHIND);
    };
    host.onLog = (bytes) => this.log(bytes);
    const files = [...request.files, ...stubs];
    const goesOn = isBooted(image);
    this.engine = new Machine({
      kernel,
      image,
      rest: () => fetchRest(restOfKernel),
      glue: glue(),
      devices: host,
      disks: disk ? [disk] : [],
      programs,
      initrd: goesOn ? host.further(rootfs, files) : host.initrd(rootfs, files),
      parameters: host.commandLine(request.userMemory, request.kernelParameters),
      kernelMemory: request.memory,
      processMemory: request.processMemory,
    });
    // Of the functions that a boot calls, the first half has few.
    if (!goesOn) this.engine.complete().catch(() => {});
    void this.engine.outcome.then((outcome) => this.ended(outcome));
  }

  request(request: Request): void {
    const session = "id" in request ? this.sessions.get(request.id) : undefined;
    switch (request.type) {
      case "boot":
      case "parts":
        return;
      case "open":
        return this.open(request);
      case "run":
        return this.run(request);
      case "resize":
        return session instanceof ConsoleSession
          ? session.resize(request.rows, request.columns)
          : undefined;
      case "input":
        return session?.input.push(request.bytes);
      case "end":
        return session?.input.end();
      case "took":
        session?.took(request.stream, request.bytes);
        return this.look(request.id);
      case "close":
        return this.close(request.id);
      case "program":
        return void this.add(request.id, request.bytes);
      case "shutdown":
        return this.host.askToShutDown(PATIENCE);
    }
  }

  private open(request: Extract<Request, { type: "open" }>): void {
    const session = new ConsoleSession(this.host, this.post, request);
    this.sessions.set(request.id, session);
    this.consoles.set(session.hostId, request.id);
  }

  private run(request: Extract<Request, { type: "run" }>): void {
    const { id } = request;
    try {
      const session = new CommandSession(this.host, this.post, request);
      this.sessions.set(id, session);
      this.commands.set(session.hostId, id);
    } catch (error) {
      // More than a request can hold, for example.
      const message = `${request.argv[0]}: ${error instanceof Error ? error.message : error}`;
      this.post({ type: "refused", id, error: { kind: "not-started", message } });
    }
  }

  private close(id: number): void {
    const session = this.sessions.get(id);
    session?.close();
    // A command that is killed still has to end.
    if (session instanceof ConsoleSession) this.forget(id, session);
  }

  private async add(id: number, bytes: Uint8Array): Promise<void> {
    try {
      this.post({ type: "added", id, stub: await addProgram(this.programs, "The program", bytes) });
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      this.post({ type: "refused", id, error: error.failure });
    }
  }

  private turn(): number {
    const wait = this.host.turn();
    for (const { kind, id } of this.host.changes()) {
      if (kind === "stop") this.engine.stop();
      const ours = kind === "console" ? this.consoles.get(id) : this.commands.get(id);
      if (ours !== undefined) this.look(ours);
    }
    return wait;
  }

  private look(id: number): void {
    const session = this.sessions.get(id);
    if (session?.changed()) this.forget(id, session);
  }

  private forget(id: number, session: Session): void {
    this.sessions.delete(id);
    if (session instanceof ConsoleSession) {
      this.consoles.delete(session.hostId);
      this.host.closeConsole(session.hostId);
    } else if (session instanceof CommandSession) {
      this.commands.delete(session.hostId);
      this.host.forget(session.hostId);
    }
  }

  private log(bytes: Uint8Array): void {
    const text = this.decoder.decode(bytes, { stream: true });
    this.lastWords = (this.lastWords + text).slice(-4096);
    this.post({ type: "log", text });
  }

  private ended(outcome: Outcome): void {
    this.host.finish(outcome);
    // What has been said still goes to the page, as far as it reads.
    this.turn();
    for (const id of [...this.sessions.keys()]) this.look(id);
    this.turns.stop();
    this.disk?.close();
    this.post({ type: "outcome", outcome: this.ending(outcome) });
  }

  private ending(outcome: Outcome): Ending {
    if ("message" in outcome) return outcome;
    // "Kernel panic - not syncing: VFS: Unable to mount root fs"
    const said = /Kernel panic - not syncing: (.*)/.exec(this.lastWords)?.[1] ?? "";
    const kind = outcome.kind === "image" ? "halt" : outcome.kind;
    return { kind, message: kind === "panic" ? said : "" };
  }
}

/** A half that a prompt does not need. */
async function fetchRest(part: Part): Promise<WebAssembly.Module> {
  const script = new URL(fetcherScript, import.meta.url);
  return (await fetchPart(script, part)) as WebAssembly.Module;
}

/** The disk that was asked for, or a word to the page that there is none. */
async function disk0(
  request: BootRequest,
  empty: Promise<Uint8Array>,
  post: Post,
): Promise<Disk | undefined> {
  if (!request.disk) return undefined;
  try {
    const disk = await openDisk(request.disk, empty);
    post({ type: "disk", missing: "" });
    return disk;
  } catch (error) {
    if (!(error instanceof NoDisk)) throw error;
    post({ type: "disk", missing: error.message });
    return undefined;
  }
}

/** Makes a program known; what stands for it in the file system. */
async function addProgram(
  programs: Programs,
  name: string,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const refuse = (why: string) =>
    new LoadError("not-a-program", `${name} cannot run here: ${why}.`);
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new LoadError("memory", `The browser has no memory to compile ${name}.`);
    }
    throw refuse("it is no valid WebAssembly module");
  }
  const wrong = programs.add(module, bytes);
  if (wrong) throw refuse(wrong);
  return stub(bytes);
}
