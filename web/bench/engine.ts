/**
 * `engine.ts [--rounds N] [ROW...]`: what the engine costs under node, beside the
 * native runner in the same minute, each in turn. Goals are issue 5's, in ns for
 * calls; for applets the ratio.
 *
 * `scripts/bench web` runs it. WASMLINUX_BENCH names the folder with `calls.wasm`
 * and `applets.wasm`.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { boot, type Guest } from "../test/engine/boot.ts";
import type { Job } from "../test/engine/devices.ts";
import { build, I32 } from "../test/engine/wasm.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const PROGRAMS = process.env.WASMLINUX_BENCH;
if (!PROGRAMS) throw new Error("WASMLINUX_BENCH is not set: see the head of this file");
const argv = process.argv.slice(2);
const at = argv.indexOf("--rounds");
const [rounds] = at < 0 ? [5] : argv.splice(at, 2).slice(1).map(Number);
const wanted = (name: string) => argv.length === 0 || argv.some((part) => name.includes(part));

/** Goal in ns, and the row of `userland/bench/calls.c`. */
const CALLS: [string, number | undefined, string][] = [
  ["getppid", 20, "getppid"],
  ["pipe write + read", 150, "pipe"],
  ["open + close", undefined, "open"],
  ["pipe ping-pong", 1000, "ping-pong"],
  ["fork + exit + wait", 60_000, "fork"],
  ["vfork + exec + wait", 120_000, "exec"],
  ["sh -c exit", undefined, "sh"],
  ["thread create + join", undefined, "thread"],
];
const APPLETS = ["sha256", "md5", "gzip", "sort", "awk"];
/** Of all applets together, against native: the geometric mean. */
const APPLETS_GOAL = 1.3;

/** Either side answers a row's name with nanoseconds. */
interface Side {
  ask(row: string): Promise<number>;
  end(): Promise<void>;
}

class Ours implements Side {
  private readonly guest: Guest;
  private readonly job: Job;
  private seen = 0;
  private ended = false;

  private constructor(guest: Guest, job: Job) {
    this.guest = guest;
    this.job = job;
    void job.result.then(() => (this.ended = true));
  }

  static async start(program: string, args: string[], memory: number): Promise<Ours> {
    const path = `/usr/local/bin/${program}`;
    const module = instrumented(`${PROGRAMS}/${program}.wasm`);
    const guest = await boot({ extra: [[path, module]], kernelMemory: memory << 20 });
    return new Ours(guest, guest.devices.run({ argv: [path, ...args], open: true }));
  }

  async ask(row: string): Promise<number> {
    this.job.write(row + "\n");
    this.seen++;
    for (;;) {
      const lines = this.job.output(1).split("\n");
      if (lines.length > this.seen) return Number(lines[this.seen - 1]);
      if (this.ended) throw new Error(`${row}: ${this.job.output(2)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async end(): Promise<void> {
    this.job.end();
    await this.job.result;
    this.guest.machine.stop();
  }
}

class Native implements Side {
  private readonly child: ChildProcess;
  private text = "";
  private seen = 0;

  constructor(program: string, args: string[], memory: number) {
    const path = `/usr/local/bin/${program}`;
    const add = `--add=${PROGRAMS}/${program}.wasm=${path}`;
    const run = ["run", `--memory=${memory}M`, add, "--", path, ...args];
    this.child = spawn(`${ROOT}target/release/wasmlinux`, run, {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.child.stdout!.on("data", (bytes: Buffer) => (this.text += bytes.toString()));
  }

  async ask(row: string): Promise<number> {
    this.child.stdin!.write(row + "\n");
    this.seen++;
    for (;;) {
      const lines = this.text.split("\n");
      if (lines.length > this.seen) return Number(lines[this.seen - 1]);
      if (this.child.exitCode !== null) throw new Error(`the native runner has ended: ${row}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async end(): Promise<void> {
    this.child.stdin!.end();
    await new Promise((resolve) => this.child.once("exit", resolve));
  }
}

function instrumented(file: string): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(`${tmpdir()}/wasmlinux-`);
  try {
    const options = ["--exceptions", "exnref", file, `${folder}/out.wasm`];
    execFileSync(`${ROOT}target/release/wasmlinux-instrument`, options);
    return new Uint8Array(readFileSync(`${folder}/out.wasm`));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function time(ns: number): string {
  const [unit, scale] = ns < 1e3 ? ["ns", 1] : ns < 1e6 ? ["µs", 1e3] : ["ms", 1e6];
  const value = ns / scale;
  return `${value < 100 ? value.toPrecision(3) : value.toFixed()} ${unit}`;
}

function line(name: string, ours: string, peer: string, ratio: string, goal: string): void {
  console.log(
    `${name.padEnd(22)} ${ours.padStart(10)} ${peer.padStart(10)} ${ratio.padStart(7)}  ${goal}`,
  );
}

/** Rounds of both sides in turn, after one that warms up: medians. */
async function measure(sides: [Side, Side], row: string): Promise<[number, number]> {
  const found: [number[], number[]] = [[], []];
  for (let round = -1; round < rounds!; round++) {
    for (const side of [0, 1] as const) {
      const value = await sides[side].ask(row);
      if (round >= 0) found[side].push(value);
    }
  }
  return [median(found[0]), median(found[1])];
}

async function calls(): Promise<void> {
  const rows = CALLS.filter(([name]) => wanted(name));
  if (!rows.length) return;
  const sides: [Side, Side] = [await Ours.start("calls", [], 64), new Native("calls", [], 64)];
  for (const [name, goal, row] of rows) {
    const [ours, peer] = await measure(sides, row);
    const verdict = goal ? `≤ ${time(goal)}${ours <= goal ? "" : ", missed"}` : "";
    line(name, time(ours), time(peer), (ours / peer).toFixed(2), verdict);
  }
  for (const side of sides) await side.end();
}

async function applets(): Promise<void> {
  const rows = APPLETS.filter(wanted);
  if (!rows.length) return;
  const args = ["/bin/busybox", "/root"];
  const sides: [Side, Side] = [
    await Ours.start("applets", args, 640),
    new Native("applets", args, 640),
  ];
  let product = 1;
  for (const row of rows) {
    const [ours, peer] = await measure(sides, row);
    product *= ours / peer;
    line(row, time(ours), time(peer), (ours / peer).toFixed(2), "");
  }
  const mean = product ** (1 / rows.length);
  const verdict = `≤ ${APPLETS_GOAL}${mean <= APPLETS_GOAL ? "" : ", missed"}`;
  line("applets, together", "", "", mean.toFixed(2), verdict);
  for (const side of sides) await side.end();
}

/** Two stacks in turn, and nothing else: what a ping-pong costs at the least. */
async function stacks(): Promise<void> {
  if (!wanted("two stacks in turn")) return;
  // turns(n): n times calls `swap`.
  const loop = [0x03, 0x40, 0x10, 0, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b];
  const module = new WebAssembly.Module(
    build({
      image: false,
      memory: false,
      globals: [],
      types: [
        [[I32], []],
        [[], []],
      ],
      imports: [["js", "swap", 1]],
      functions: [["turns", 0, loop]],
    }),
  );
  let waits: (() => void) | undefined;
  const swap = new WebAssembly.Suspending(
    () =>
      new Promise<void>((resolve) => {
        const next = waits;
        waits = resolve;
        next?.();
      }),
  );
  const { exports } = new WebAssembly.Instance(module, { js: { swap: swap as never } });
  const turns = WebAssembly.promising(exports.turns!);
  const TURNS = 300_000;
  const times = [];
  for (let round = -1; round < rounds!; round++) {
    const begin = performance.now();
    const both = [turns(TURNS), turns(TURNS)];
    await both[0];
    if (round >= 0) times.push((1e6 * (performance.now() - begin)) / TURNS);
    waits?.();
    await both[1];
    waits = undefined;
  }
  line("two stacks in turn", time(median(times)), "", "", "the engine's part of a ping-pong");
}

/** What one more process costs the tab. */
async function memory(): Promise<void> {
  if (!wanted("memory of a process")) return;
  const guest = await boot();
  const sleepers = (n: number) =>
    guest.run({
      argv: ["sh", "-c", `i=0; while [ $i -lt ${n} ]; do sleep 1000 & i=$((i+1)); done`],
    });
  await sleepers(20);
  const before = process.memoryUsage().rss;
  await sleepers(80);
  const each = (process.memoryUsage().rss - before) / 80;
  line("memory of a process", `${(each / 1024).toFixed()} KiB`, "", "", "");
  guest.machine.stop();
}

line("", "browser", "native", "ratio", "goal");
await memory();
await calls();
await stacks();
await applets();
process.exit(0);
