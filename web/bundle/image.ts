/**
 * `image.ts PARTS CODE DATA MEMORY CLOCK`: the memory of a machine that is about to begin
 * its init, and what its clock shows in ns.
 *
 * PARTS has the engine's modules and the root file system, CODE and DATA are the kernel.
 * MEMORY gets all of it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Devices } from "../src/engine/devices.ts";
import { BOOTED_MEMORY } from "../src/engine/image.ts";
import { Machine } from "../src/engine/machine.ts";
import { Programs } from "../src/engine/programs.ts";
import { glue, module } from "./modules.ts";

const [parts, code, data, memory, clock] = process.argv.slice(2);
if (!parts || !code || !data || !memory || !clock) {
  throw new Error("usage: image.ts PARTS CODE DATA MEMORY CLOCK");
}

let log = "";
/** There is nobody yet to whom a machine could be connected. */
const nobody = () => 0;
const devices: Devices = {
  print: (text) => void (log += new TextDecoder().decode(text)),
  random: (into) => void crypto.getRandomValues(into as Uint8Array<ArrayBuffer>),
  streamRead: nobody,
  streamWrite: nobody,
  streamPoll: nobody,
  streamWinsize: nobody,
  streamEnd: nobody,
  streamClose: nobody,
  streamEvent: () => -1,
  jobNext: nobody,
  jobStarted: nobody,
  jobExit: nobody,
  trace: nobody,
  ready: nobody,
  shuttingDown: nobody,
};

const machine = new Machine({
  kernel: module(code),
  image: module(data),
  rest: () => Promise.reject(new Error("the kernel is in one piece")),
  glue: glue(parts),
  devices,
  programs: new Programs(),
  initrd: new Uint8Array(readFileSync(`${parts}/rootfs.cpio`)),
  parameters: "console=ttyK0 lkl.image",
  kernelMemory: BOOTED_MEMORY,
  processMemory: 1 << 30,
});
const outcome = await machine.outcome;
if (outcome.kind !== "image") throw new Error(`${JSON.stringify(outcome)}\n${log}`);
writeFileSync(memory, machine.bytes);
writeFileSync(clock, `${outcome.clock}\n`);
