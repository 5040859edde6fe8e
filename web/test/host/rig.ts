/** A host, a guest, and a page that looks at everything that is told. */
import { readFile } from "node:fs/promises";
import { Host, type ConsoleState, type TaskState } from "../../src/host/host.ts";
import { Guest } from "./guest.ts";

const PATIENCE = 60_000;

const compiled = readFile(new URL("../../build/host.wasm", import.meta.url)).then((bytes) =>
  WebAssembly.compile(bytes),
);

export class Rig {
  readonly host: Host;
  readonly guest: Guest;
  /** What was shown by consoles. */
  readonly screens = new Map<number, number[]>();
  /** What commands have written to stdout and stderr. */
  readonly outputs = new Map<number, [number[], number[]]>();
  stopped = false;
  private wantsTurn = false;
  private turnAt = Infinity;
  private inTurn = false;

  private constructor(host: Host) {
    this.host = host;
    this.guest = new Guest(host);
    host.onRaise = (line) => this.guest.raise(line);
    host.onTurn = () => (this.wantsTurn = true);
  }

  /** A machine whose guest boots. */
  static async booting(): Promise<Rig> {
    return new Rig(await Host.load(await compiled));
  }

  /** A machine whose guest has booted. */
  static async ready(): Promise<Rig> {
    const rig = await Rig.booting();
    rig.host.ready();
    return rig;
  }

  console(): number {
    const id = this.host.openConsole(24, 80);
    this.screens.set(id, []);
    return id;
  }

  press(console: number, text: string): void {
    const keys = new TextEncoder().encode(text);
    const n = this.host.press(console, keys);
    if (n !== keys.length) throw new Error(`typed ${n} of ${keys.length} bytes`);
  }

  screen(console: number): string {
    return new TextDecoder().decode(Uint8Array.from(this.screens.get(console)!));
  }

  isOpen(console: number): boolean {
    return this.host.consoleState(console).kind === ("open" satisfies ConsoleState["kind"]);
  }

  run(...argv: string[]): number {
    const id = this.host.run({ argv });
    this.outputs.set(id, [[], []]);
    return id;
  }

  isOver(task: number): boolean {
    const over: TaskState["kind"][] = ["exit", "signal", "not-started", "lost"];
    return over.includes(this.host.taskState(task).kind);
  }

  /** One round of everybody. */
  step(): void {
    this.guest.turn();
    if (this.wantsTurn || performance.now() >= this.turnAt) {
      this.wantsTurn = false;
      if (this.inTurn) throw new Error("a turn in a turn");
      this.inTurn = true;
      const wait = this.host.turn();
      this.inTurn = false;
      this.turnAt = wait < 0 ? Infinity : performance.now() + wait;
    }
    for (const { kind, id } of this.host.changes()) {
      if (kind === "stop") this.stopped = true;
      if (kind === "console") this.look(id);
      if (kind === "command") this.collect(id);
    }
  }

  look(console: number): void {
    const screen = this.screens.get(console);
    if (!screen) return;
    for (let bytes; (bytes = this.host.shown(console, 5000));) screen.push(...bytes);
  }

  private collect(task: number): void {
    this.outputs.get(task)?.forEach((into, i) => {
      for (let bytes; (bytes = this.host.take(task, i === 0 ? 1 : 2, 5000));) into.push(...bytes);
    });
  }

  async until(what: string, done: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    while (!done()) {
      if (performance.now() > deadline) {
        const screens = [...this.screens.keys()].map((id) => this.screen(id));
        throw new Error(`waited for ${what}: ${JSON.stringify(screens).slice(0, 2000)}`);
      }
      this.step();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Until nothing more happens by itself. */
  settle(): void {
    do this.step();
    while (this.wantsTurn || this.guest.hasWork);
  }

  /** Runs a command to its end. */
  async output(argv: string[], input = ""): Promise<[TaskState, string, string]> {
    const id = this.run(...argv);
    this.host.feed(id, new TextEncoder().encode(input));
    this.host.endInput(id);
    await this.until(argv.join(" "), () => this.isOver(id));
    this.collect(id);
    const state = this.host.taskState(id);
    this.host.forget(id);
    const [out, err] = this.outputs.get(id)!.map((b) => Buffer.from(b).toString()) as [
      string,
      string,
    ];
    return [state, out, err];
  }
}
