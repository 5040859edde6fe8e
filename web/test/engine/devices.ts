/**
 * Devices for tests: jobs whose input is given and whose output is collected.
 * The format of a job request is that of `arch/lkl/kernel/job_request.c`.
 */
import { IRQ_JOB, IRQ_POWER, IRQ_STREAM } from "../../src/engine/abi.ts";
import { STREAM_READABLE, STREAM_RESIZED, STREAM_WRITABLE } from "../../src/engine/abi.ts";
import type { Devices } from "../../src/engine/devices.ts";
import { concat } from "../../src/bytes.ts";

const SEARCH_PATH = 2;
const TTY = 1;
const ENV = [
  "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
  "HOME=/root",
  "USER=root",
  "LOGNAME=root",
  "SHELL=/bin/sh",
];

export interface Command {
  argv: string[];
  env?: string[];
  cwd?: string;
  uid?: number;
  stdin?: Uint8Array | string;
  /** Its stdin stays open until `Job.end`. */
  open?: boolean;
  tty?: boolean;
  trace?: boolean;
}

export interface Result {
  /** Wait status, or a negative errno when it could not be started. */
  status: number;
  /** As a shell tells it. */
  code: number;
  stdout: string;
  stderr: string;
}

class Stream {
  input: Uint8Array[] = [];
  ended = false;
  output: Uint8Array[] = [];
  resized = false;
  winsize = (24 << 16) | 80;
  onOutput: (() => void) | undefined;
}

export class Job {
  readonly id: number;
  readonly result: Promise<Result>;
  readonly started: Promise<number>;
  private readonly devices: TestDevices;
  readonly streams: Stream[];
  finish!: (result: Result) => void;
  start!: (pid: number) => void;

  constructor(devices: TestDevices, id: number, streams: Stream[]) {
    this.devices = devices;
    this.id = id;
    this.streams = streams;
    this.result = new Promise((resolve) => (this.finish = resolve));
    this.started = new Promise((resolve) => (this.start = resolve));
  }

  output(which = 1): string {
    return text(concat(this.streams[which % this.streams.length]!.output));
  }

  write(data: string): void {
    this.streams[0]!.input.push(new TextEncoder().encode(data));
    this.devices.changed(this.streams[0]!);
  }

  end(): void {
    this.streams[0]!.ended = true;
    this.devices.changed(this.streams[0]!);
  }

  signal(signal: number): void {
    this.devices.request(new Uint8Array(Uint32Array.of(this.id, 1, signal).buffer));
  }

  /** Resolves when its output has a text. */
  async says(what: string, which = 1, within = 20_000): Promise<void> {
    const stream = this.streams[which % this.streams.length]!;
    const deadline = Date.now() + within;
    while (!this.output(which).includes(what)) {
      if (Date.now() > deadline)
        throw new Error(`no ${JSON.stringify(what)} in ${JSON.stringify(this.output(which))}`);
      await new Promise<void>((resolve) => {
        const timeout = setTimeout(resolve, deadline - Date.now());
        stream.onOutput = () => {
          clearTimeout(timeout);
          resolve();
        };
      });
    }
  }
}

export class TestDevices implements Devices {
  /** Raises an interrupt of the machine's. */
  raise: (line: number) => void = () => {};
  readonly ready: () => void;
  readonly isReady: Promise<void>;
  shutDown = false;
  readonly calls: { event: number; pid: number; nr: number; ret: number }[] = [];
  private readonly logged: Uint8Array[] = [];
  private readonly streams = new Map<number, Stream>();
  private readonly jobs = new Map<number, Job>();
  private readonly requests: Uint8Array[] = [];
  private readonly events: number[] = [];
  private nextStream = 1;
  private nextJob = 1;

  constructor() {
    let resolve!: () => void;
    this.isReady = new Promise((done) => (resolve = done));
    this.ready = resolve;
  }

  get log(): string {
    return text(concat(this.logged));
  }

  /** Asks for a power-off, as a button does. */
  powerOff(): void {
    this.raise(IRQ_POWER);
  }

  run(command: Command): Job {
    const streams = Array.from({ length: command.tty ? 1 : 3 }, () => new Stream());
    const first = this.nextStream;
    for (const stream of streams) this.streams.set(this.nextStream++, stream);
    const { stdin } = command;
    if (stdin !== undefined)
      streams[0]!.input.push(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin);
    streams[0]!.ended = !command.open && !command.tty;
    const job = new Job(this, this.nextJob++, streams);
    this.jobs.set(job.id, job);
    this.request(runRequest(job.id, first, command));
    return job;
  }

  request(bytes: Uint8Array): void {
    this.requests.push(bytes);
    this.raise(IRQ_JOB);
  }

  changed(stream: Stream): void {
    for (const [id, known] of this.streams) if (known === stream) this.events.push(id);
    this.raise(IRQ_STREAM);
  }

  print(bytes: Uint8Array): void {
    this.logged.push(bytes.slice());
  }

  random(into: Uint8Array): void {
    crypto.getRandomValues(into as Uint8Array<ArrayBuffer>);
  }

  streamRead(id: number, into: Uint8Array): number {
    const stream = this.streams.get(id);
    if (!stream) return 0;
    const [first] = stream.input;
    if (!first) return stream.ended ? 0 : -11;
    const taken = Math.min(first.length, into.length);
    into.set(first.subarray(0, taken));
    if (taken < first.length) stream.input[0] = first.subarray(taken);
    else stream.input.shift();
    return taken;
  }

  streamWrite(id: number, from: Uint8Array): number {
    const stream = this.streams.get(id);
    stream?.output.push(from.slice());
    stream?.onOutput?.();
    return from.length;
  }

  streamPoll(id: number): number {
    const stream = this.streams.get(id);
    if (!stream) return STREAM_READABLE;
    const readable = stream.input.length > 0 || stream.ended ? STREAM_READABLE : 0;
    return readable | STREAM_WRITABLE | (stream.resized ? STREAM_RESIZED : 0);
  }

  streamWinsize(id: number): number {
    const stream = this.streams.get(id);
    if (!stream) return 0;
    stream.resized = false;
    return stream.winsize;
  }

  streamEnd(): void {}

  streamClose(id: number): void {
    this.streams.delete(id);
  }

  streamEvent(): number {
    return this.events.shift() ?? -1;
  }

  jobNext(into: Uint8Array): number {
    const [request] = this.requests;
    if (!request) return 0;
    if (request.length > into.length) return -7;
    this.requests.shift();
    into.set(request);
    return request.length;
  }

  jobStarted(id: number, pid: number): void {
    this.jobs.get(id)?.start(pid);
  }

  jobExit(id: number, status: number): void {
    const job = this.jobs.get(id);
    if (!job) return;
    this.jobs.delete(id);
    const code = status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
    const stdout = job.output(1);
    const stderr = job.streams.length > 1 ? job.output(2) : "";
    job.finish({ status, code: status < 0 ? 127 : code, stdout, stderr });
  }

  trace(event: number, pid: number, nr: number, ret: number): void {
    this.calls.push({ event, pid, nr, ret });
  }

  shuttingDown(): void {
    this.shutDown = true;
  }
}

function runRequest(id: number, first: number, command: Command): Uint8Array {
  const { argv, env = ENV, cwd = "/root", uid = 0, tty = false, trace = false } = command;
  const strings = new TextEncoder().encode([cwd, ...argv, ...env].map((s) => s + "\0").join(""));
  const streams = tty ? [first, first, first] : [first, first + 1, first + 2];
  const flags = SEARCH_PATH | (tty ? TTY : 0) | (trace ? 32 : 0);
  const size = tty ? 24 | (80 << 16) : 0;
  // The limits are none: processes, three times, 64 bits of memory.
  const words = [id, 0, flags, uid, uid, ...streams, size, argv.length, env.length];
  const head = Uint32Array.of(...words, 0, 0, 0, 0, 0, 0);
  return concat([new Uint8Array(head.buffer), strings]);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
