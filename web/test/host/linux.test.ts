/** The host with the engine and a real guest: boot, commands, consoles, the end. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Machine, type Outcome } from "../../src/engine/machine.ts";
import { Programs } from "../../src/engine/programs.ts";
import { Host, type Command, type TaskState } from "../../src/host/host.ts";
import { Turns } from "../../src/worker/turns.ts";
import { artefact, compiled, glue, image } from "../engine/boot.ts";

const PATIENCE = 60_000;
const text = (bytes: Uint8Array[]) => Buffer.concat(bytes).toString();

/** What a worker does with both of them. */
class Linux {
  readonly host: Host;
  readonly machine: Machine;
  readonly screens = new Map<number, Uint8Array[]>();
  readonly outputs = new Map<number, [Uint8Array[], Uint8Array[]]>();
  private readonly turns: Turns;
  private waiting: (() => void)[] = [];

  constructor(host: Host) {
    this.host = host;
    const programs = new Programs();
    const rest = async () => compiled("busybox-rest.wasm");
    assert.equal(programs.add(compiled("busybox.wasm"), undefined, rest), undefined);
    this.turns = new Turns(() => {
      const wait = host.turn();
      for (const { kind, id } of host.changes()) this.changed(kind, id);
      return wait;
    });
    host.onTurn = () => this.turns.ask();
    host.onRaise = (line) => this.machine.raise(line);
    const greeting = { path: "/etc/greeting", bytes: new TextEncoder().encode("hällo\n") };
    this.machine = new Machine({
      kernel: compiled("kernel.wasm"),
      image: image(),
      rest: async () => compiled("kernel-rest.wasm"),
      glue: glue(),
      devices: host,
      programs,
      initrd: host.further(artefact("rootfs.cpio"), [greeting]),
      parameters: host.commandLine(1 << 30, ""),
      kernelMemory: 64 << 20,
      processMemory: 1 << 30,
    });
    void this.machine.outcome.then((outcome: Outcome) => {
      host.finish(outcome);
      host.turn();
      for (const { kind, id } of host.changes()) this.changed(kind, id);
      this.turns.stop();
    });
  }

  private changed(kind: "console" | "command" | "stop", id: number): void {
    if (kind === "stop") this.machine.stop();
    if (kind === "console") this.take(this.screens.get(id), () => this.host.shown(id, 4096));
    if (kind === "command") {
      this.outputs.get(id)?.forEach((into, i) => {
        this.take(into, () => this.host.take(id, i === 0 ? 1 : 2, 4096));
      });
    }
    this.waiting.splice(0).forEach((wake) => wake());
  }

  private take(into: Uint8Array[] | undefined, next: () => Uint8Array | undefined): void {
    for (let bytes; into && (bytes = next());) into.push(bytes);
  }

  async until(what: string, done: () => boolean): Promise<void> {
    const late = new Promise<never>((_, reject) => {
      const screens = () => JSON.stringify([...this.screens.values()].map(text));
      const fail = () => reject(new Error(`waited for ${what}: ${screens()}`));
      setTimeout(fail, PATIENCE).unref();
    });
    while (!done()) {
      await Promise.race([new Promise<void>((wake) => this.waiting.push(wake)), late]);
    }
  }

  async run(command: Command, input = new Uint8Array()): Promise<[TaskState, string, string]> {
    const id = this.host.run(command);
    const out: [Uint8Array[], Uint8Array[]] = [[], []];
    this.outputs.set(id, out);
    for (let at = 0; at < input.length;) {
      const n = this.host.feed(id, input.subarray(at));
      at += n;
      if (at < input.length) await new Promise<void>((wake) => this.waiting.push(wake));
    }
    this.host.endInput(id);
    const over = ["exit", "signal", "not-started", "lost"];
    await this.until(command.argv.join(" "), () => over.includes(this.host.taskState(id).kind));
    this.changed("command", id);
    const state = this.host.taskState(id);
    this.host.forget(id);
    return [state, text(out[0]), text(out[1])];
  }

  console(): number {
    const id = this.host.openConsole(24, 80);
    this.screens.set(id, []);
    return id;
  }

  type(console: number, keys: string): void {
    assert.equal(this.host.press(console, new TextEncoder().encode(keys)), keys.length);
  }

  async shows(console: number, wanted: string): Promise<void> {
    const screen = this.screens.get(console)!;
    await this.until(JSON.stringify(wanted), () => text(screen).includes(wanted));
    screen.length = 0;
  }
}

let linux: Linux;

before(async () => {
  linux = new Linux(await Host.load(compiled("host.wasm")));
});

after(() => (linux as Linux | undefined)?.machine.stop());

test("a command, its output and its codes", async () => {
  const [state, stdout] = await linux.run({ argv: ["echo", "hello"] });
  assert.deepEqual([state, stdout], [{ kind: "exit", code: 0 }, "hello\n"]);
  const failed = await linux.run({ argv: ["sh", "-c", "echo no >&2; exit 7"] });
  assert.deepEqual(failed, [{ kind: "exit", code: 7 }, "", "no\n"]);
  const killed = await linux.run({ argv: ["sh", "-c", "kill -9 $$"] });
  assert.deepEqual(killed[0], { kind: "signal", signal: 9 });
  const missing = await linux.run({ argv: ["no-such-program"] });
  assert.deepEqual(missing[0], { kind: "not-started", errno: 2 });
});

test("a command has what it is given", async () => {
  const env = { GREETING: "/etc/greeting" };
  const command = { argv: ["sh", "-c", "cat $GREETING; pwd; id -u"], env, cwd: "/tmp" };
  assert.deepEqual((await linux.run(command))[1], "hällo\n/tmp\n0\n");
});

test("a megabyte through the guest", async () => {
  const all = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31) >> 3);
  const digest = await crypto.subtle.digest("SHA-256", all);
  const sum = Buffer.from(digest).toString("hex");
  const [, stdout] = await linux.run({ argv: ["sh", "-c", "cat | sha256sum"] }, all);
  assert.equal(stdout, `${sum}  -\n`);
});

test("a console is typed on, resized and left", async () => {
  const console = linux.console();
  await linux.shows(console, "# ");
  linux.type(console, "echo $((6 * 7)); tty; echo $TERM\r");
  await linux.shows(console, "42\r\n/dev/pts/0\r\nxterm-256color\r\n");
  linux.host.resize(console, 50, 132);
  linux.type(console, "while [ \"$(stty size)\" != '50 132' ]; do :; done; echo re''sized\r");
  await linux.shows(console, "resized\r\n");
  // The key is a signal only while the shell does not edit a line.
  linux.type(console, "echo ru''ns; while :; do :; done\r");
  await linux.shows(console, "runs\r\n");
  linux.type(console, "\x03");
  await linux.shows(console, "^C");
  linux.type(console, "exit\r");
  await linux.until("the end", () => linux.host.consoleState(console).kind === "ended");
  linux.host.closeConsole(console);
});

test("several consoles, one of them closed in the middle", async () => {
  const [a, b] = [linux.console(), linux.console()];
  for (const console of [a, b]) {
    await linux.shows(console, "# ");
    linux.type(console, `echo I am ${console}.\r`);
    await linux.shows(console, `I am ${console}.\r\n`);
  }
  linux.type(a, "sleep 1000\r");
  linux.host.closeConsole(a);
  linux.type(b, "while pidof sleep >/dev/null; do :; done; echo go''ne\r");
  await linux.shows(b, "gone\r\n");
  linux.host.closeConsole(b);
});

test("the machine shuts down in order, and what runs is lost", async () => {
  const console = linux.console();
  await linux.shows(console, "# ");
  const sleep = linux.run({ argv: ["sleep", "1000"] });
  linux.host.askToShutDown(30_000);
  assert.deepEqual(await linux.machine.outcome, { kind: "power-off" });
  await linux.until("the console's end", () => linux.host.consoleState(console).kind === "ended");
  await sleep;
  assert.throws(() => linux.host.run({ argv: ["true"] }), /ended: powered off/);
});
