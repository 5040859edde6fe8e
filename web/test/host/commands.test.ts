/** Commands of a page, with a guest that the test plays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

test("output and codes", async () => {
  const rig = await Rig.ready();
  assert.deepEqual(await rig.output(["echo", "hello", "wörld"]), [
    { kind: "exit", code: 0 },
    "hello wörld",
    "",
  ]);
  assert.deepEqual(await rig.output(["complain"]), [{ kind: "exit", code: 1 }, "", "no\n"]);
  assert.deepEqual((await rig.output(["exit", "7"]))[0], { kind: "exit", code: 7 });
  assert.deepEqual((await rig.output(["missing"]))[0], { kind: "not-started", errno: 2 });
});

test("stdin reaches the command, to its end", async () => {
  const rig = await Rig.ready();
  assert.deepEqual((await rig.output(["cat"], "through the guest"))[1], "through the guest");
});

test("a megabyte through cat", async () => {
  const rig = await Rig.ready();
  const id = rig.run("cat");
  const all = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31) >> 3);
  let full = 0;
  for (let at = 0; at < all.length;) {
    const n = rig.host.feed(id, all.subarray(at));
    if (n < all.length - at) full += 1;
    at += n;
    rig.step();
  }
  assert.ok(full > 0, "it never had to wait");
  rig.host.endInput(id);
  const [stdout] = rig.outputs.get(id)!;
  await rig.until("all of it", () => rig.isOver(id) && stdout.length >= all.length);
  assert.ok(Buffer.from(stdout).equals(all));
});

test("what a command is given", async () => {
  const rig = await Rig.ready();
  const id = rig.host.run({ argv: ["sleep", ""], env: { A: "=", HOME: "/x" }, cwd: "/tmp" });
  await rig.until("its start", () => rig.host.taskState(id).kind === "runs");
  const job = rig.guest.only("sleep");
  assert.deepEqual([job.argv, job.cwd], [["sleep", ""], "/tmp"]);
  assert.ok(job.env.includes("A==") && job.env.includes("HOME=/x"), String(job.env));
  assert.ok(job.env.some((variable) => variable.startsWith("PATH=")));
  rig.host.signal(id, 15);
  await rig.until("its end", () => rig.isOver(id));
  assert.deepEqual(rig.host.taskState(id), { kind: "signal", signal: 15 });
});

test("a large request arrives", async () => {
  const rig = await Rig.ready();
  const [, stdout] = await rig.output(["echo", "x".repeat(200_000)]);
  assert.equal(stdout.length, 200_000);
});

test("a command that is forgotten is not in the way", async () => {
  const rig = await Rig.ready();
  const id = rig.run("cat");
  await rig.until("its start", () => rig.guest.jobs.size === 1);
  rig.host.forget(id);
  await rig.until("its end", () => rig.guest.jobs.size === 0);
  assert.deepEqual((await rig.output(["true"]))[0], { kind: "exit", code: 0 });
});

test("what cannot be asked for is said", async () => {
  const rig = await Rig.ready();
  assert.throws(() => rig.host.run({ argv: [] }), /no command/);
  assert.throws(() => rig.host.run({ argv: ["a\0b"] }), /NUL/);
  assert.throws(() => rig.host.run({ argv: ["true"], env: { "A=B": "" } }), /no name/);
  rig.host.finish({ kind: "power-off" });
  assert.throws(() => rig.host.run({ argv: ["true"] }), /the machine has ended: powered off/);
});
