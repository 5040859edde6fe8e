/** The half of the kernel that comes behind the prompt. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { boot, compiled, stopMachines, type Guest } from "./boot.ts";
import { Programs } from "../../src/engine/programs.ts";
import type { GetRest } from "../../src/engine/rest.ts";

afterEach(stopMachines);

const rest = () => compiled("kernel-rest.wasm");
/** What the build's profile has not called: see `bundle/profile.ts`. */
const COLD = ["ping", "-c", "1", "127.0.0.1"];

/** A machine that has booted without its rest, as all do but some on a busy host. */
async function bootWithout(get: GetRest): Promise<Guest> {
  for (let n = 0; n < 10; n++) {
    let booting = true;
    let wanted = false;
    const guest = await boot({
      rest: () => {
        if (!booting) return get();
        wanted = true;
        return Promise.resolve(rest());
      },
    });
    booting = false;
    if (!wanted) return guest;
    guest.machine.stop();
  }
  throw new Error("no machine boots without its rest");
}

test("nothing up to the first commands needs the rest", async () => {
  // Of what depends on the time that things take, a profile sees what has happened in
  // it: a busy machine may need more, and then waits. None needs it each time.
  const asked = [];
  for (let n = 0; n < 5; n++) {
    let times = 0;
    const guest = await boot({ rest: async () => (times++, rest()) });
    assert.equal(await guest.sh("for i in 1 2 3; do echo $i; done | sort -r | head -1"), "3\n");
    assert.match(await guest.sh("ls /; ps; cat /proc/meminfo"), /MemTotal/);
    asked.push(times);
  }
  assert.ok(asked.includes(0), `asked for in every machine: ${asked}`);
});

test("a call waits until the rest is there, and no other asks for it again", async () => {
  let asked = 0;
  let arrived!: (rest: WebAssembly.Module) => void;
  const waiting = new Promise<WebAssembly.Module>((resolve) => (arrived = resolve));
  const guest = await bootWithout(() => (asked++, waiting));
  const cold = guest.run({ argv: COLD });
  let over = false;
  void cold.then(() => (over = true));
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  // The event loop goes on, the machine does not.
  const other = guest.run({ argv: ["echo", "hello"] });
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(over, false);
  arrived(rest());
  assert.equal((await cold).code, 0);
  assert.equal((await other).stdout, "hello\n");
  assert.equal((await guest.run({ argv: COLD })).code, 0);
  assert.equal(asked, 1);
  await guest.off();
});

test("what has come before it is needed is waited for by nobody", async () => {
  let asked = 0;
  const guest = await bootWithout(async () => (asked++, rest()));
  await guest.machine.complete();
  await guest.machine.complete();
  assert.equal((await guest.run({ argv: COLD })).code, 0);
  assert.equal(asked, 1);
});

test("a rest that did not come is asked for again, and then it is the end", async () => {
  let asked = 0;
  const guest = await bootWithout(() =>
    Promise.reject(new Error(`the network is down, ${++asked}`)),
  );
  await assert.rejects(guest.machine.complete(), /the network is down, 1/);
  guest.devices.run({ argv: COLD });
  const outcome = await guest.machine.outcome;
  assert.deepEqual(outcome, { kind: "incomplete", message: "the network is down, 2" });
});

/** What BusyBox's first half has not, whose stack forks, jumps and computes. */
const APPLETS: [argv: string[], stdout: string][] = [
  [["awk", 'BEGIN { while (("seq 4" | getline n) > 0) s += n; print s }'], "10\n"],
  [["sh", "-c", "seq 9 | sort -rn | tail -n 1 | sed s/1/one/"], "one\n"],
  [["xargs", "-n", "2", "expr", "1", "+"], "3\n"],
  [["sh", "-c", "trap 'echo caught' TERM; (eval 'return 3'); kill $$; echo $?"], "caught\n0\n"],
  [["timeout", "9", "nice", "time", "-f", "", "true"], ""],
];

test("a program waits for its other half, and what it does there is the same", async () => {
  let asked = 0;
  let arrived!: (rest: WebAssembly.Module) => void;
  const waiting = new Promise<WebAssembly.Module>((resolve) => (arrived = resolve));
  const guest = await boot({ busyboxRest: () => (asked++, waiting) });
  assert.equal(await guest.sh("echo the shell is there"), "the shell is there\n");
  assert.equal(asked, 0);
  const all = APPLETS.map(([argv]) => guest.run({ argv, stdin: "2\n" }));
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  arrived(compiled("busybox-rest.wasm"));
  const done = await Promise.all(all);
  assert.deepEqual(
    done.map(({ stdout }) => stdout),
    APPLETS.map(([, stdout]) => stdout),
  );
  // In memories that have it and in such as have not.
  for (const [argv, stdout] of APPLETS) {
    assert.equal((await guest.run({ argv, stdin: "2\n" })).stdout, stdout);
  }
  assert.equal(asked, 1);
  await guest.off();
});

test("a program whose other half does not come is the end of the machine", async () => {
  const guest = await boot({ busyboxRest: () => Promise.reject(new Error("no network")) });
  guest.devices.run({ argv: ["awk", "BEGIN { print 1 }"] });
  assert.deepEqual(await guest.machine.outcome, { kind: "incomplete", message: "no network" });
});

test("other halves are for programs that are known to be in two", () => {
  const wrong = new Programs().add(compiled("busybox.wasm"));
  assert.match(wrong!, /it imports linux.rest, which nobody offers/);
});

test("a machine that waits can be stopped", async () => {
  let asked = 0;
  const guest = await bootWithout(() => (asked++, new Promise(() => {})));
  guest.devices.run({ argv: COLD });
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  guest.machine.stop();
  assert.deepEqual(await guest.machine.outcome, { kind: "stopped" });
});
