/** Many processes: at once, one after another, in a machine and over machines. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { boot, stopMachines, type Guest } from "./boot.ts";
import type { Machine } from "../../src/engine/machine.ts";
import type { Scheduler } from "../../src/engine/scheduler.ts";
import type { Memories } from "../../src/engine/memories.ts";

afterEach(stopMachines);

const ALL = Boolean(process.env.WASMLINUX_TEST_ALL);

function memories(guest: Guest): { live: number; pooled: number } {
  return (guest.machine as unknown as { memories: Memories }).memories.counts();
}

test("a hundred processes are alive at once", async () => {
  const guest = await boot();
  const script = `i=0; while [ $i -lt 100 ]; do sleep 1000 & i=$((i+1)); done
    ps | grep -c '[0-9] sleep 1000$'; kill $(jobs -p); wait; ps | grep -c '[0-9] sleep 1000$' || :`;
  assert.equal(await guest.sh(script), "100\n0\n");
  await guest.off();
});

test("when the host has no more memories, fork is refused, and all recovers", async () => {
  const guest = await boot();
  const before = memories(guest).live;
  const { Memory } = WebAssembly;
  let left = 20;
  WebAssembly.Memory = function (descriptor: WebAssembly.MemoryDescriptor) {
    if (left-- <= 0) throw new RangeError("could not allocate memory");
    return new Memory(descriptor);
  } as never;
  try {
    const script = `n=0; while [ $n -lt 60 ]; do
        sleep 1000 2>/dev/null & n=$((n+1))
      done; echo all`;
    const refused = await guest.run({ argv: ["sh", "-c", script] });
    assert.match(refused.stderr, /can't fork|Resource temporarily unavailable/);
    assert.ok(memories(guest).live >= 20);
    await guest.run({ argv: ["killall", "sleep"] });
    // Each has its memory until it has run once more, and dies of the signal.
    while (memories(guest).live > before) await setImmediate();
    // What the killed gave back is enough for all that follow: nobody is asked.
    const again = `for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done; jobs | wc -l; kill $(jobs -p)`;
    assert.equal(await guest.sh(again), "10\n");
    assert.equal(
      await guest.sh("for i in $(seq 1 200); do true | cat; /bin/true; done; echo $?"),
      "0\n",
    );
  } finally {
    WebAssembly.Memory = Memory;
  }
  await guest.off();
});

test("processes one after another leave nothing", async () => {
  const guest = await boot();
  await guest.sh("for i in $(seq 1 20); do /bin/true; done");
  const before = memories(guest);
  const rounds = ALL ? 40 : 4;
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const begin = process.cpuUsage();
    await guest.sh("i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i+1)); done");
    const { user, system } = process.cpuUsage(begin);
    times.push((user + system) / 1000);
  }
  assert.deepEqual(memories(guest), before);
  const first = Math.min(...times.slice(0, 3));
  const last = Math.min(...times.slice(-3));
  assert.ok(last < first * 1.5, `1000 of them took ${times.map((t) => t.toFixed())} ms each time`);
  await guest.off();
});

test("ten machines one after another leave nothing", { timeout: 300_000 }, async () => {
  const kept: WeakRef<object>[] = [];
  for (let n = 0; n < 10; n++) {
    const guest = await boot();
    await guest.sh("for i in 1 2 3 4 5; do (sleep 0.01; true) | cat; done");
    guest.devices.run({ argv: ["sleep", "1000"] });
    guest.devices.run({ argv: ["sh", "-c", "while :; do :; done"] });
    await guest.sh("true");
    const { bytes } = guest.machine as unknown as { bytes: Uint8Array };
    kept.push(new WeakRef(guest.machine), new WeakRef(bytes.buffer));
    guest.machine.stop();
    await guest.machine.outcome;
  }
  // The last machine's frames may still be seen by this function.
  await collected(kept, 2);
});

test("machines that end while one task is on its way to another leave nothing", async () => {
  const kept: WeakRef<object>[] = [];
  for (let n = 0; n < 10; n++) {
    const guest = await boot();
    const job = guest.devices.run({ argv: ["sh", "-c", "while :; do echo; done | cat"] });
    await new Promise<void>((resolve) => {
      job.streams[1]!.onOutput = () => {
        job.streams[1]!.onOutput = undefined;
        stopAfterSwitches(guest.machine, n, resolve);
      };
    });
    await guest.machine.outcome;
    kept.push(new WeakRef(guest.machine));
  }
  await collected(kept, 1);
});

/** Stops it just after a switch, before the other task goes on. */
function stopAfterSwitches(machine: Machine, switches: number, done: () => void): void {
  const { scheduler } = machine as unknown as { scheduler: Scheduler };
  const arrive = Reflect.get(scheduler, "arrive") as (task: unknown) => void;
  let left = switches;
  Reflect.set(scheduler, "arrive", function (this: Scheduler, task: unknown) {
    arrive.call(this, task);
    if (left-- > 0) return;
    Reflect.deleteProperty(scheduler, "arrive");
    queueMicrotask(() => {
      machine.stop();
      done();
    });
  });
}

/** All but some are collected by the engine. */
async function collected(kept: WeakRef<object>[], spare: number): Promise<void> {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const deadline = Date.now() + 20_000;
  let alive = kept.length;
  while (alive > spare && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    gc();
    alive = kept.filter((ref) => ref.deref()).length;
  }
  assert.ok(alive <= spare, `${alive} of ${kept.length} machines and memories are kept`);
}

test("frames of a deep recursion are saved in a larger buffer", async () => {
  const guest = await boot();
  const script = `down() {
      if [ $1 -gt 0 ]; then down $(($1 - 1)); else echo $(echo deep); fi
    }
    down 60; down 300`;
  assert.equal(await guest.sh(script), "deep\ndeep\n");
  await guest.off();
});
