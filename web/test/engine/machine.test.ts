/** Whole machines: boot, end, the event loop, and what must not be left. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { IRQ_POWER } from "../../src/engine/abi.ts";
import { Machine } from "../../src/engine/machine.ts";
import { Programs } from "../../src/engine/programs.ts";
import { boot, compiled, glue, image, stopMachines } from "./boot.ts";
import { Cpio } from "./cpio.ts";
import { TestDevices } from "./devices.ts";

const CTRL_C = "\x03";

afterEach(stopMachines);

test("a shell runs commands, with streams and exit codes", async () => {
  const guest = await boot();
  assert.equal(await guest.sh("echo $((6 * 7)); sort", "b\na\n"), "42\na\nb\n");
  const failed = await guest.run({ argv: ["sh", "-c", "echo out; echo err >&2; exit 7"] });
  assert.deepEqual([failed.code, failed.stdout, failed.stderr], [7, "out\n", "err\n"]);
  const killed = await guest.run({ argv: ["sh", "-c", "kill -TERM $$"] });
  assert.equal(killed.code, 128 + 15);
  const missing = await guest.run({ argv: ["no-such-program"] });
  assert.equal(missing.status, -2);
  assert.match(await guest.sh("uname -srm"), /^Linux 6\.12\.\d+ wasm32\n$/);
  await guest.off();
  assert.ok(guest.devices.shutDown);
});

test("a machine can be stopped at any time", async () => {
  for (const when of ["at once", "at boot", "idle", "busy"]) {
    const devices = new TestDevices();
    const guest = when === "at once" || when === "at boot" ? undefined : await boot();
    const machine = guest?.machine ?? bare(devices, "");
    if (when === "at boot") await Promise.resolve();
    if (when === "busy") {
      const job = guest!.devices.run({ argv: ["sh", "-c", "while :; do :; done"] });
      await job.started;
    }
    machine.stop();
    assert.deepEqual(await machine.outcome, { kind: "stopped" }, when);
    machine.stop();
    machine.raise(IRQ_POWER);
  }
});

/** A machine without a file system: the kernel finds no init. */
function bare(devices: TestDevices, parameters: string): Machine {
  const machine = new Machine({
    kernel: compiled("kernel.wasm"),
    image: image(undefined, parameters),
    rest: async () => compiled("kernel-rest.wasm"),
    glue: glue(),
    devices,
    programs: new Programs(),
    initrd: new Cpio().folder("/dev").finish(),
    parameters: `console=ttyK0 ${parameters}`,
    kernelMemory: 64 << 20,
    processMemory: 64 << 20,
  });
  devices.raise = (line) => machine.raise(line);
  return machine;
}

test("a panic is an outcome, with its reason in the log", async () => {
  const devices = new TestDevices();
  const machine = bare(devices, "init=/nothing");
  assert.deepEqual(await machine.outcome, { kind: "panic" });
  assert.match(devices.log, /Kernel panic - not syncing/);
});

test("halt, power-off and restart", async () => {
  for (const [command, kind] of [
    ["halt -f", "halt"],
    ["poweroff -f", "power-off"],
    ["reboot -f", "restart"],
  ] as const) {
    const guest = await boot();
    guest.devices.run({ argv: ["sh", "-c", command] });
    assert.deepEqual(await guest.machine.outcome, { kind });
  }
});

test("options that cannot work are told", () => {
  const devices = new TestDevices();
  assert.throws(() => bare(devices, "x".repeat(600)), /kernel parameters have more than 511 bytes/);
  const options = {
    kernel: compiled("kernel.wasm"),
    image: compiled("kernel-data.wasm"),
    rest: async () => compiled("kernel-rest.wasm"),
    glue: glue(),
    devices,
    programs: new Programs(),
    initrd: new Uint8Array(20 << 20),
    parameters: "",
    kernelMemory: 32 << 20,
    processMemory: 64 << 20,
  };
  assert.throws(() => new Machine(options), /give it at least 58 MiB/);
  assert.throws(
    () => new Machine({ ...options, kernelMemory: 128 << 20, processMemory: 1 }),
    /a process needs at least 4 MiB/,
  );
  assert.throws(
    () =>
      new Machine({ ...options, image: compiled("kernel-booted.wasm"), kernelMemory: 80 << 20 }),
    /the image is of a kernel with 67108864 bytes/,
  );
});

test("Ctrl-C reaches a busy loop, and the page has its turns meanwhile", async () => {
  const guest = await boot();
  const job = guest.devices.run({ argv: ["sh", "-i"], tty: true });
  job.write("echo re''ady; while :; do :; done; echo not here\n");
  await job.says("ready\r\n", 0);
  let turns = 0;
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    turns++;
  }, 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  clearInterval(timer);
  assert.ok(turns >= 5, `${turns} turns in 300 ms of a busy loop, the longest wait ${longest} ms`);
  job.write(CTRL_C);
  job.write("echo ba''ck\n");
  await job.says("back\r\n", 0);
  job.write("exit 5\n");
  assert.equal((await job.result).code, 5);
  await guest.off();
});

test("two busy loops share the processor while a shell answers", async () => {
  const guest = await boot();
  const script = "i=0; while [ $i -lt 2000000 ]; do i=$((i+1)); done";
  const loops = [0, 1].map(() => guest.devices.run({ argv: ["sh", "-c", script] }));
  await Promise.all(loops.map((job) => job.started));
  assert.equal(await guest.sh("echo answered"), "answered\n");
  const times = await guest.sh("cat /proc/[0-9]*/stat | grep '(sh) R' | cut -d' ' -f14");
  assert.ok(times.trim().split("\n").length >= 1);
  for (const job of loops) job.signal(9);
  for (const job of loops) assert.equal((await job.result).code, 137);
  await guest.off();
});

test("a window's size and its change", async () => {
  const guest = await boot();
  const job = guest.devices.run({
    argv: ["sh", "-c", "trap 'stty size' WINCH; stty size; while :; do sleep 1; done"],
    tty: true,
  });
  await job.says("24 80", 0);
  const [stream] = job.streams;
  stream!.winsize = (50 << 16) | 132;
  stream!.resized = true;
  guest.devices.changed(stream!);
  await job.says("50 132", 0);
  job.signal(9);
  await job.result;
  await guest.off();
});

test("a traced command's calls are told", async () => {
  const guest = await boot();
  await guest.run({ argv: ["true"], trace: true });
  const { calls } = guest.devices;
  assert.ok(
    calls.some((call) => call.event === 4 && call.ret === 0),
    "exec",
  );
  assert.ok(
    calls.some((call) => call.event === 0 && call.nr === 94),
    "exit_group",
  );
  assert.ok(
    calls.some((call) => call.event === 3),
    "exit",
  );
  await guest.off();
});

test("an idle machine uses no processor time", async () => {
  const guest = await boot();
  await guest.sh("true");
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 100_000, `${(user + system) / 1000} ms of 2 s`);
  await guest.off();
});
