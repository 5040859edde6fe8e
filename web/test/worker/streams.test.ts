import assert from "node:assert/strict";
import { test } from "node:test";
import { WINDOW } from "../../src/protocol.ts";
import { Inlet } from "../../src/worker/inlet.ts";
import { Outlet } from "../../src/worker/outlet.ts";
import { stub } from "../../src/worker/stub.ts";
import { Turns } from "../../src/worker/turns.ts";

test("output beyond the window waits until the page has read", () => {
  let left = 3 * WINDOW;
  let sent = 0;
  const take = (most: number) => {
    const n = Math.min(most, left);
    left -= n;
    return n > 0 ? new Uint8Array(n) : undefined;
  };
  const outlet = new Outlet(take, (bytes) => (sent += bytes.length));
  outlet.pump();
  assert.equal(sent, WINDOW);
  assert.equal(outlet.drained, false);
  outlet.took(1000);
  assert.equal(sent, WINDOW + 1000);
  // More than there was is no more room than there can be.
  outlet.took(10 * WINDOW);
  assert.equal(sent, 2 * WINDOW + 1000);
  outlet.took(WINDOW);
  assert.equal(sent, 3 * WINDOW);
  outlet.took(WINDOW);
  assert.equal(outlet.drained, true);
});

test("input waits for room, in its order, and its end comes last", () => {
  let room = 3;
  const log: string[] = [];
  const inlet = new Inlet(
    (bytes) => {
      const n = Math.min(room, bytes.length);
      room -= n;
      if (n > 0) log.push(Buffer.from(bytes.subarray(0, n)).toString());
      return n;
    },
    (n) => log.push(`took ${n}`),
    () => log.push("end"),
  );
  inlet.push(Buffer.from("ab"));
  inlet.push(Buffer.from("cdef"));
  inlet.end();
  assert.deepEqual(log, ["ab", "took 2", "c", "took 1"]);
  room = 100;
  inlet.pump();
  inlet.pump();
  assert.deepEqual(log.slice(4), ["def", "took 3", "end"]);
});

test("turns come when asked for, once, and at the time that the last one named", async () => {
  const waits = [-1, 20, 0, -1];
  const taken: number[] = [];
  let done!: () => void;
  const all = new Promise<void>((resolve) => (done = resolve));
  const turns = new Turns(() => {
    taken.push(performance.now());
    const wait = waits[taken.length - 1]!;
    if (taken.length === 1) queueMicrotask(() => turns.ask());
    if (taken.length === 4) done();
    return wait;
  });
  turns.ask();
  turns.ask();
  await all;
  assert.equal(taken.length, 4);
  assert.ok(taken[2]! - taken[1]! >= 15, "the third was to wait 20 ms");
  turns.stop();
  turns.ask();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(taken.length, 4);
});

test("a stub is the module up to the end of its image section", () => {
  const section = [0, 3, 1, 65, 66];
  const program = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, ...section, 1, 4, 1, 96, 0, 0]);
  assert.deepEqual(stub(program), program.slice(0, 8 + section.length));
  // A size in two bytes.
  const long = new Uint8Array(8 + 3 + 130 + 9);
  long.set([0, 97, 115, 109, 1, 0, 0, 0, 0, 0x82, 0x01]);
  assert.equal(stub(long).length, 8 + 3 + 130);
});
