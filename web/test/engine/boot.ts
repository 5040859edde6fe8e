/** Machines for tests, of what `cargo xtask web build` has made. */
import { readFileSync } from "node:fs";
import { readModule } from "../../src/engine/module.ts";
import { BOOTED_MEMORY, canGoOn, isBooted } from "../../src/engine/image.ts";
import { Machine, type Glue, type Options } from "../../src/engine/machine.ts";
import type { GetRest } from "../../src/engine/rest.ts";
import { Programs } from "../../src/engine/programs.ts";
import { concat } from "../../src/bytes.ts";
import { Cpio } from "./cpio.ts";
import { TestDevices, type Command, type Result } from "./devices.ts";

const BUILD = process.env.WASMLINUX_WEB_BUILD ?? new URL("../../build", import.meta.url).pathname;

export function artefact(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(`${BUILD}/${name}`));
}

const modules = new Map<string, WebAssembly.Module>();

export function compiled(name: string): WebAssembly.Module {
  const known = modules.get(name) ?? new WebAssembly.Module(artefact(name));
  modules.set(name, known);
  return known;
}

export function glue(): Glue {
  return {
    access: compiled("glue/access.wasm"),
    cpu: compiled("glue/cpu.wasm"),
    user: compiled("glue/user.wasm"),
    program: compiled("glue/program.wasm"),
  };
}

/** What the guest's file system has of a program: its head, by which it is found. */
export function stub(module: Uint8Array): Uint8Array {
  readModule(module);
  return head(module);
}

function head(module: Uint8Array): Uint8Array {
  // "\0asm" and version; a section's id, its length (one byte, as it is short).
  return module.slice(0, 10 + module[9]!);
}

/** What a page takes for such a machine. */
export function image(memory = BOOTED_MEMORY, append = ""): WebAssembly.Module {
  return compiled(canGoOn(memory, append) ? "kernel-booted.wasm" : "kernel-data.wasm");
}

export interface Guest {
  machine: Machine;
  devices: TestDevices;
  programs: Programs;
  /** Runs a command to its end. */
  run(command: Command): Promise<Result>;
  /** Runs a script in the guest's shell; its stdout. */
  sh(script: string, stdin?: string): Promise<string>;
  /** Powers off. */
  off(): Promise<void>;
}

const running = new Set<Machine>();

/** For `afterEach`: a machine that a failed test has left keeps the process alive. */
export function stopMachines(): void {
  for (const machine of running) machine.stop();
}

export interface Settings extends Partial<Options> {
  /** Guest test programs to put into /usr/local/bin. */
  tests?: string[];
  files?: (archive: Cpio) => void;
  /** Instrumented programs, each with its path. */
  extra?: [string, Uint8Array<ArrayBuffer>][];
  append?: string;
  /** How BusyBox's other half comes. */
  busyboxRest?: GetRest;
}

/** BusyBox's init has run its boot scripts. */
export async function boot(settings: Settings = {}): Promise<Guest> {
  const { tests = [], files, extra = [], append = "", busyboxRest, ...options } = settings;
  const programs = new Programs();
  const archive = new Cpio();
  const add = (path: string, bytes: Uint8Array, module: WebAssembly.Module) => {
    const why = programs.add(module, bytes);
    if (why) throw new Error(`${path}: ${why}`);
    archive.file(path, stub(bytes));
  };
  const addArtefact = (path: string, name: string) => add(path, artefact(name), compiled(name));
  const rest = async () => compiled("busybox-rest.wasm");
  const why = programs.add(compiled("busybox.wasm"), undefined, busyboxRest ?? rest);
  if (why) throw new Error(`BusyBox: ${why}`);
  archive.file("/bin/busybox", head(artefact("busybox.wasm")));
  for (const test of tests) addArtefact(`/usr/local/bin/${test}`, `tests/${test}.wasm`);
  files?.(archive);
  for (const [path, bytes] of extra) add(path, bytes, new WebAssembly.Module(bytes));
  const begin = options.image ?? image(options.kernelMemory, append);
  const goesOn = isBooted(begin);
  const devices = new TestDevices();
  const machine = new Machine({
    kernel: compiled("kernel.wasm"),
    image: begin,
    rest: async () => compiled("kernel-rest.wasm"),
    glue: glue(),
    devices,
    programs,
    initrd: goesOn ? archive.finish() : concat([pad(artefact("rootfs.cpio")), archive.finish()]),
    parameters: `console=ttyK0 lkl.user_memory=1048576K ${append}`.trim(),
    kernelMemory: BOOTED_MEMORY,
    processMemory: 1 << 30,
    ...options,
  });
  devices.raise = (line) => machine.raise(line);
  running.add(machine);
  void machine.outcome.then(() => running.delete(machine));
  const ended = machine.outcome.then((outcome) => {
    throw new Error(`the machine has ended: ${JSON.stringify(outcome)}\n${devices.log}`);
  });
  ended.catch(() => {});
  await Promise.race([devices.isReady, ended]);
  const run = (command: Command) => Promise.race([devices.run(command).result, ended]);
  return {
    machine,
    devices,
    programs,
    run,
    async sh(script, stdin = "") {
      const result = await run({ argv: ["sh", "-c", script], stdin });
      if (result.code !== 0 || result.stderr)
        throw new Error(`${script}\n${JSON.stringify(result)}\n${devices.log}`);
      return result.stdout;
    },
    async off() {
      devices.powerOff();
      const outcome = await machine.outcome;
      if (outcome.kind !== "power-off") throw new Error(JSON.stringify(outcome));
    },
  };
}

function pad(bytes: Uint8Array): Uint8Array {
  return concat([bytes, new Uint8Array(-bytes.length & 3)]);
}
