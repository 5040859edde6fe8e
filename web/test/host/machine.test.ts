/** What a machine begins with, and its end, with a guest that the test plays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

test("files are added to the root file system", async () => {
  const { host } = await Rig.booting();
  const rootfs = host.initrd(new Uint8Array(), [{ path: "/f", bytes: new Uint8Array([1]) }]);
  assert.equal(new TextDecoder().decode(rootfs.subarray(0, 6)), "070701");
  assert.equal(host.initrd(rootfs, []), rootfs);
  const bytes = new TextEncoder().encode("hello");
  const more = host.initrd(rootfs, [{ path: "/opt/new/hello", mode: 0o755, bytes }]);
  const text = Buffer.from(more).toString("latin1");
  assert.ok(text.includes("opt/new\0") && text.includes("hello") && more.length % 4 === 0);
  assert.deepEqual(more.subarray(0, rootfs.length), rootfs);
  assert.throws(() => host.initrd(rootfs, [{ path: "/tmp/x", bytes }]), /hidden in the guest/);
  assert.throws(() => host.initrd(rootfs, [{ path: "x", bytes }]), /cannot put a file/);
});

test("the command line", async () => {
  const { host } = await Rig.booting();
  assert.equal(host.commandLine(1 << 30, ""), "console=ttyK0 lkl.user_memory=1048576K");
  assert.match(host.commandLine(8 * 2 ** 30, "quiet ö"), /=8388608K quiet ö$/);
});

test("random bytes, however many", async () => {
  const { host } = await Rig.booting();
  const bytes = new Uint8Array(200_000);
  host.random(bytes);
  assert.ok(new Set(bytes.subarray(199_000)).size > 100);
});

test("the kernel log and the boot are told", async () => {
  const { host } = await Rig.booting();
  const told: string[] = [];
  host.onLog = (text) => told.push(new TextDecoder().decode(text));
  host.onReady = () => told.push("ready");
  host.print(new TextEncoder().encode("Linux\n"));
  host.ready();
  assert.deepEqual(told, ["Linux\n", "ready"]);
});

test("an orderly end", async () => {
  const rig = await Rig.ready();
  const console = rig.console();
  const task = rig.run("sleep");
  await rig.until("both", () => rig.guest.jobs.size === 2);
  rig.host.askToShutDown(3_600_000);
  await rig.until("the request", () => rig.guest.askedToPowerOff);
  rig.host.shuttingDown();
  rig.host.finish({ kind: "power-off" });
  await rig.until("both ends", () => !rig.isOpen(console) && rig.isOver(task));
  assert.equal(rig.host.taskState(task).kind, "lost");
  assert.equal(rig.stopped, false);
});

test("a guest that does not end is stopped", async () => {
  const rig = await Rig.ready();
  rig.host.askToShutDown(5);
  await rig.until("the wish to stop", () => rig.stopped);
  assert.ok(rig.guest.askedToPowerOff);
});

test("a crash while commands run", async () => {
  const rig = await Rig.ready();
  const consoles = Array.from({ length: 5 }, () => rig.console());
  const tasks = Array.from({ length: 5 }, () => rig.run("cat"));
  await rig.until("all of them", () => rig.guest.jobs.size === 10);
  tasks.push(rig.run("true"));
  rig.host.finish({ kind: "crash", message: "unreachable" });
  await rig.until("their ends", () => {
    return !consoles.some((id) => rig.isOpen(id)) && tasks.every((id) => rig.isOver(id));
  });
  assert.throws(() => rig.host.run({ argv: ["true"] }), /ended: unreachable/);
});

test("a guest may call anything", async () => {
  const { host } = await Rig.ready();
  for (const stream of [0, 1, 77, 0xffffffff]) {
    assert.equal(host.streamRead(stream, new Uint8Array(4)), 0);
    assert.equal(host.streamWrite(stream, new Uint8Array(4)), -32);
    host.streamPoll(stream);
    host.streamWinsize(stream);
    host.streamEnd(stream);
    host.streamClose(stream);
    host.jobStarted(stream, 1);
    host.jobExit(stream, -1);
  }
  assert.equal(host.jobNext(new Uint8Array(0)), 0);
});

test("ten machines are independent of each other", async () => {
  const rigs = await Promise.all(Array.from({ length: 10 }, () => Rig.ready()));
  for (const [i, rig] of rigs.entries()) {
    assert.equal((await rig.output(["echo", String(i)]))[1], String(i));
    rig.host.finish({ kind: "stopped" });
  }
});
