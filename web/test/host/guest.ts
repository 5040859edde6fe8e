/** The guest's side of the host operations, with a few programs of its own. */
import { IRQ_JOB, IRQ_POWER, IRQ_STREAM } from "../../src/engine/abi.ts";
import type { Devices } from "../../src/engine/devices.ts";
import { E2BIG, EAGAIN, ENOENT, SIGPIPE } from "../../src/errno.ts";

const IAC = 255;
const SE = 240;

/** What telnetd begins with: DO NAWS, WILL ECHO, WILL SGA. */
const HELLO = [255, 253, 31, 255, 251, 1, 255, 251, 3];
/** Words of a request before its strings (`runner/src/job.rs`). */
const WORDS = 17;
const SIP = 4096;

export interface Job {
  id: number;
  argv: string[];
  env: string[];
  cwd: string;
  streams: number[];
  /** What it has read. */
  heard: number[];
  /** How much of that telnetd has made sense of. */
  read: number;
  pending: number[];
  inputEnded: boolean;
  killed: number;
}

export class Guest {
  readonly jobs = new Map<number, Job>();
  askedToPowerOff = false;
  /** The pending word. */
  private irqs = 0;
  private readonly devices: Devices;

  constructor(devices: Devices) {
    this.devices = devices;
  }

  raise(line: number): void {
    this.irqs |= 1 << line;
  }

  get hasWork(): boolean {
    return this.irqs !== 0;
  }

  /** Everything the kernel would do now. */
  turn(): void {
    const irqs = this.irqs;
    this.irqs = 0;
    if (irqs & (1 << IRQ_POWER)) this.askedToPowerOff = true;
    if (irqs & (1 << IRQ_STREAM)) while (this.devices.streamEvent() >= 0);
    if (irqs & (1 << IRQ_JOB)) this.takeRequests();
    for (const job of [...this.jobs.values()]) {
      const status = this.work(job);
      if (status === undefined) continue;
      this.jobs.delete(job.id);
      for (const stream of new Set(job.streams)) this.devices.streamClose(stream);
      this.devices.jobExit(job.id, status);
    }
  }

  only(name: string): Job {
    const all = [...this.jobs.values()].filter((job) => job.argv[0] === name);
    if (all.length !== 1) throw new Error(`${all.length} of ${name} run`);
    return all[0]!;
  }

  private takeRequests(): void {
    let buffer = new Uint8Array(64);
    for (;;) {
      const n = this.devices.jobNext(buffer);
      if (n === 0) return;
      // As the kernel does.
      if (n === -E2BIG) buffer = new Uint8Array(2 * buffer.length);
      else if (n < 0) throw new Error(`jobNext: ${n}`);
      else this.request(buffer.slice(0, n));
    }
  }

  private request(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer);
    const word = (i: number) => view.getUint32(4 * i, true);
    const id = word(0);
    if (word(1) === 1) {
      const job = this.jobs.get(id);
      if (job) job.killed = word(2);
      return;
    }
    const strings = new TextDecoder().decode(bytes.subarray(4 * WORDS)).split("\0");
    const argv = strings.slice(1, 1 + word(9));
    if (argv[0] === "missing") return this.devices.jobExit(id, -ENOENT);
    this.devices.jobStarted(id, 100 + id);
    const pending =
      argv[0] === "telnetd"
        ? HELLO.slice()
        : argv[0] === "echo"
          ? [...new TextEncoder().encode(argv.slice(1).join(" "))]
          : [];
    this.jobs.set(id, {
      id,
      argv,
      env: strings.slice(1 + word(9), 1 + word(9) + word(10)),
      cwd: strings[0]!,
      streams: [word(5), word(6), word(7)],
      heard: [],
      read: 0,
      pending,
      inputEnded: false,
      killed: 0,
    });
  }

  /** One go of a program; its wait status if that was its end. */
  private work(job: Job): number | undefined {
    const { devices } = this;
    const [stdin, stdout, stderr] = job.streams as [number, number, number];
    const name = job.argv[0];
    if (job.killed) return job.killed;
    if (job.pending.length === 0 && !job.inputEnded) {
      const into = new Uint8Array(SIP);
      const n = devices.streamRead(stdin, into);
      if (n === 0) job.inputEnded = true;
      else if (n > 0) {
        job.heard.push(...into.subarray(0, n));
        if (name === "cat") job.pending.push(...into.subarray(0, n));
        if (name === "telnetd") echo(job);
      } else if (n !== -EAGAIN) throw new Error(`streamRead: ${n}`);
    }
    if (job.pending.length > 0) {
      const n = devices.streamWrite(stdout, Uint8Array.from(job.pending));
      if (n >= 0) job.pending.splice(0, n);
      else if (n !== -EAGAIN) return SIGPIPE;
    }
    if (job.pending.length > 0) return undefined;
    switch (name) {
      case "echo":
      case "true":
        return 0;
      case "exit":
        return Number(job.argv[1]) << 8;
      case "complain":
        devices.streamWrite(stderr, new TextEncoder().encode("no\n"));
        return 1 << 8;
      case "cat":
      case "telnetd":
        return job.inputEnded ? 0 : undefined;
      case "sleep":
        return undefined;
      default:
        throw new Error(`no such program: ${name}`);
    }
  }
}

/** Echoes what was typed, and not what telnet clients say to servers. */
function echo(job: Job): void {
  const { heard } = job;
  while (job.read < heard.length) {
    const at = job.read;
    const [first, second] = [heard[at], heard[at + 1]];
    if (first !== IAC) {
      job.pending.push(first!);
      job.read += 1;
    } else if (second === undefined) {
      return;
    } else if (second === IAC) {
      job.pending.push(IAC, IAC);
      job.read += 2;
    } else if (second === 250) {
      const end = heard.findIndex((b, i) => i > at && b === IAC && heard[i + 1] === SE);
      if (end < 0) return;
      job.read = end + 2;
    } else if (second >= 251) {
      if (heard.length < at + 3) return;
      job.read += 3;
    } else {
      job.read += 2;
    }
  }
}
