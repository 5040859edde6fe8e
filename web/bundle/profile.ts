/**
 * `profile.ts PARTS HOST BOOTED KERNEL CALLED BUSYBOX CALLED`: which functions of the kernel
 * and of BusyBox a machine needs until somebody works with it, and for what people do
 * first.
 *
 * KERNEL and BUSYBOX note each function that they call in a byte of the memory that they
 * import for that (`scripts/xtask/src/web/marks.rs`); the kernel goes on from BOOTED. Each
 * CALLED gets a line for every one that was called. It runs as in a page: on the host that
 * a page has, with a new disk, with consoles.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Disk, type Handle } from "../src/disk/disk.ts";
import { BOOTED_MEMORY } from "../src/engine/image.ts";
import { Machine } from "../src/engine/machine.ts";
import { Programs } from "../src/engine/programs.ts";
import { Host } from "../src/host/host.ts";
import { Turns } from "../src/worker/turns.ts";
import { glue, module } from "./modules.ts";

const [parts, hostFolder, booted, kernel, kernelCalled, busybox, busyboxCalled] =
  process.argv.slice(2) as [string, string, string, string, string, string, string];
const MIB = 1 << 20;
/** ms for each step: a build machine may be busy. */
const PATIENCE = 60_000;
/**
 * Machines on hosts that are busy otherwise are seen until so many in a row have called
 * nothing new; more than the others would be no end.
 */
const NOTHING_NEW = 60;
const AT_MOST = 1000;

/** What one of them has for a clock, from ms to ms. */
type Clock = (ms: number) => number;

/**
 * Timers expire, slices end and workers are late everywhere with a fast clock; with one
 * that leaps, now and then. Numbers from a seed: a build that fails fails again.
 */
class BusyClocks {
  private seed = 1;

  /** From `low` on, below `high`, as likely in each decade. */
  private some(low: number, high: number): number {
    this.seed = (Math.imul(this.seed, 1103515245) + 12345) >>> 0;
    return low * (high / low) ** (this.seed / 2 ** 32);
  }

  next(): Clock {
    const speed = this.some(1, 300);
    const [leap, period] = [this.some(1, 200), this.some(20, 2000)];
    let looks = 0;
    return (ms) => speed * ms + leap * Math.floor(looks++ / period);
  }
}

/**
 * What is typed, a line at a prompt. Whatever is not here waits, once, if it comes in the
 * first seconds: writing to the disk and the network, for example, which would be 120 KB
 * before the prompt.
 */
const TYPED = [
  "ls -la / /proc /dev /etc",
  "cd /tmp && pwd && mkdir -p a/b && echo text >a/b/c && cat a/b/c",
  "cp -r a d; mv d e; ln -s e f; ls -lR; rm -r a e f",
  "cat /proc/cpuinfo /proc/meminfo /proc/version /proc/uptime /proc/mounts | wc",
  "ps; top -b -n 1 | head; free; df; mount; uname -a; uptime; date; id; dmesg | tail",
  "find /etc -name '*s*' | xargs grep -l root | sort | head; du -s /etc; which vi",
  "for i in 1 2 3; do echo $i & done; wait; sleep 0.01; kill -l | head -1; stty -a; tty",
  "tar c /etc | gzip | tar tz | tail -1; dd if=/dev/zero of=z bs=64k count=4; sync; rm z",
  "mkfifo p; cat p & echo through >p; wait; rm p; (trap 'echo caught' TERM; kill $$)",
];
/** How many of them BusyBox's first half has. */
const FEW = 2;
/** What a page asks for. */
const RUN: string[][] = [
  ["true"],
  ["sh", "-c", "cat >/tmp/file; wc /tmp/file"],
  ["sh", "-c", "exit 3"],
  ["sh", "-c", "kill -9 $$"],
  ["no-such-program"],
];

/** A page may add files, also such as are there: another archive. */
const ADDED = { path: "/etc/issue", mode: 0o644, bytes: new TextEncoder().encode("text\n") };

/** An empty file of the browser's. */
class File implements Handle {
  private readonly bytes = new Uint8Array(300 * MIB);
  private size = 0;
  getSize = () => this.size;
  truncate = (size: number) => void (this.size = size);
  flush = () => {};
  close = () => {};
  read(into: Uint8Array, { at }: { at: number }): number {
    const some = this.bytes.subarray(at, Math.min(at + into.length, this.size));
    into.set(some);
    return some.length;
  }
  write(from: Uint8Array, { at }: { at: number }): number {
    this.bytes.set(from, at);
    this.size = Math.max(this.size, at + from.length);
    return from.length;
  }
}

const compiled = {
  host: module(`${hostFolder}/host.wasm`),
  kernel: module(kernel),
  image: module(booted),
  busybox: module(busybox),
};

/** What a module calls, in all its instances and since it was last asked. */
class Marks {
  readonly memory = new WebAssembly.Memory({ initial: 1 });

  /** Adds what was called. */
  note(called: Set<number>): void {
    const bytes = new Uint8Array(this.memory.buffer);
    bytes.forEach((mark, n) => mark && called.add(n));
    this.forget();
  }

  forget(): void {
    new Uint8Array(this.memory.buffer).fill(0);
  }
}
const ofKernel = new Marks();
const ofBusybox = new Marks();
const marked = new Map([
  [compiled.kernel, ofKernel],
  [compiled.busybox, ofBusybox],
]);

// Nobody but the marked modules knows of the import.
const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    const marks = marked.get(module);
    super(module, marks ? { ...imports, marks: { memory: marks.memory } } : imports);
  }
};
const { imports } = WebAssembly.Module;
WebAssembly.Module.imports = (of) => imports(of).filter(({ module }) => module !== "marks");

/** A machine as a page's worker has it. */
class Guest {
  readonly host: Host;
  readonly machine: Machine;
  private readonly turns: Turns;
  private readonly changed = new Set<() => void>();
  private log = "";

  static async boot(disk: File): Promise<Guest> {
    return new Guest(await Host.load(compiled.host), disk);
  }

  private constructor(host: Host, disk: File) {
    const programs = new Programs();
    programs.add(compiled.busybox);
    const empty = new Uint8Array(readFileSync(`${parts}/disk.blocks`));
    this.host = host;
    this.machine = new Machine({
      kernel: compiled.kernel,
      image: compiled.image,
      rest: () => Promise.reject(new Error("the kernel is in one piece")),
      glue: glue(parts),
      devices: host,
      disks: [Disk.in(disk, 256 * MIB, empty)],
      programs,
      initrd: host.further(new Uint8Array(readFileSync(`${parts}/rootfs.cpio`)), [ADDED]),
      parameters: host.commandLine(256 * MIB, ""),
      kernelMemory: BOOTED_MEMORY,
      processMemory: 256 * MIB,
    });
    this.turns = new Turns(() => {
      const wait = host.turn();
      for (const _ of host.changes());
      for (const look of this.changed) look();
      return wait;
    });
    host.onLog = (bytes) => (this.log += new TextDecoder().decode(bytes));
    host.onRaise = (line) => this.machine.raise(line);
    host.onTurn = () => this.turns.ask();
    void this.machine.outcome.then((outcome) => {
      if (outcome.kind === "stopped") return;
      console.error(`the machine has ended: ${JSON.stringify(outcome)}\n${this.log}`);
      process.exit(1);
    });
  }

  /** Until `done`, which is asked when something has changed. */
  until(what: string, done: () => boolean, seen = () => ""): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = () => reject(new Error(`no ${what}\n${this.log}\n${seen()}`));
      const timeout = setTimeout(failed, PATIENCE);
      const look = () => {
        if (!done()) return;
        clearTimeout(timeout);
        this.changed.delete(look);
        resolve();
      };
      this.changed.add(look);
      this.turns.ask();
    });
  }

  async run(argv: string[]): Promise<void> {
    const { host } = this;
    const task = host.run({ argv });
    host.feed(task, new TextEncoder().encode("input\n"));
    host.endInput(task);
    await this.until(argv.join(" "), () => {
      for (const output of [1, 2] as const) while (host.take(task, output, 65536));
      return !["asked", "runs"].includes(host.taskState(task).kind);
    });
    host.forget(task);
  }

  /** Like the end of a page. */
  stop(): void {
    this.turns.stop();
    this.machine.stop();
  }
}

/** A console that is typed at. */
class Typist {
  private text = "";
  private lines = 0;
  private readonly guest: Guest;
  private readonly id: number;

  private constructor(guest: Guest) {
    this.guest = guest;
    this.id = guest.host.openConsole(24, 80);
  }

  static async at(guest: Guest): Promise<Typist> {
    const typist = new Typist(guest);
    await typist.prompt("of a new console");
    return typist;
  }

  private pump(): string {
    for (let bytes; (bytes = this.guest.host.shown(this.id, 65536));) {
      this.text += new TextDecoder().decode(bytes);
    }
    return this.text;
  }

  /** A prompt, behind `mark`: a shell may write one twice. */
  async prompt(what: string, mark = ""): Promise<void> {
    const done = () => {
      const text = this.pump();
      return /[#$] (\x1b\[\w+)*$/.test(text.slice(text.indexOf(mark))) && text.includes(mark);
    };
    await this.guest.until(`prompt ${what}`, done, () => this.text);
  }

  press(keys: string): void {
    this.text = "";
    this.guest.host.press(this.id, new TextEncoder().encode(keys));
  }

  async line(line: string): Promise<void> {
    this.lines++;
    this.press(`${line}; echo "line $((${this.lines}))"\r`);
    await this.prompt(`after ${line}`, `line ${this.lines}\r\n`);
  }

  async shows(what: string): Promise<void> {
    const done = () => this.pump().includes(what);
    await this.guest.until(what, done, () => this.text);
  }

  resize(): void {
    this.guest.host.resize(this.id, 30, 100);
  }

  close(): void {
    this.guest.host.closeConsole(this.id);
  }
}

const called = new Set<number>();
/** Of BusyBox less: its rest costs three times as much as the kernel's. */
const calledOfBusybox = new Set<number>();
const disk = new File();
const guest = await Guest.boot(disk);
const first = await Typist.at(guest);
for (const line of TYPED.slice(0, FEW)) await first.line(line);
for (const argv of RUN) await guest.run(argv);
ofBusybox.note(calledOfBusybox);
for (const line of TYPED.slice(FEW)) await first.line(line);
first.press("sle\tep 100\r");
await first.shows("\n");
first.press("\x03");
await first.prompt("after ^C");
first.press("vi /tmp/new\r");
await first.shows("~");
first.press("itext\x1b");
// Its insert mode is over.
await first.shows("- /tmp/new");
first.press(":wq\r");
await first.prompt("after vi");
first.resize();
const second = await Typist.at(guest);
await second.line("stty size");
second.press("sleep 100\r");
await second.shows("100\r\n");
second.close();
await first.line("ps");
ofKernel.note(called);

// The next visit finds a disk that was in use when the page went.
await first.line("echo text >/persist/file");
guest.stop();
for (const marks of [ofKernel, ofBusybox]) marks.forget();
const next = await Guest.boot(disk);
await Typist.at(next);
ofBusybox.note(calledOfBusybox);
ofKernel.note(called);
next.stop();

const real = performance.now.bind(performance);
const clocks = new BusyClocks();
let nothingNew = 0;
for (let runs = 0; nothingNew < NOTHING_NEW; runs++) {
  if (runs === AT_MOST) throw new Error(`${runs} busy machines, and each does something else`);
  const [start, begin] = [performance.now(), real()];
  const clock = clocks.next();
  performance.now = () => start + clock(real() - begin);
  const before = called.size;
  const busy = await Guest.boot(new File());
  const hurried = await Typist.at(busy);
  ofBusybox.note(calledOfBusybox);
  for (const line of TYPED) await hurried.line(line);
  for (const argv of RUN) await busy.run(argv);
  ofBusybox.forget();
  ofKernel.note(called);
  busy.stop();
  nothingNew = called.size > before ? 0 : nothingNew + 1;
}

for (const [file, of] of [
  [kernelCalled, called],
  [busyboxCalled, calledOfBusybox],
] as const) {
  writeFileSync(file, [...of].sort((a, b) => a - b).join("\n") + "\n");
}
process.exit(0);
