import assert from "node:assert/strict";
import { test } from "node:test";
import { Memories } from "../../src/engine/memories.ts";
import { Rows, ROW, Slot, type Nobody } from "../../src/engine/rows.ts";
import { Space } from "../../src/engine/space.ts";
import { compiled } from "./boot.ts";

const PAGE = 65536;
const kernel = new WebAssembly.Memory({ initial: 2, maximum: 2 });
const user = compiled("glue/user.wasm");

function space(pages = 256): Space {
  return new Space(user, kernel, pages);
}

function nobody(): Nobody {
  const wanted = WebAssembly.Module.imports(compiled("glue/access.wasm"));
  const functions = wanted.filter(({ module }) => module === "js");
  const js = Object.fromEntries(functions.map(({ name }) => [name, () => {}]));
  const { exports } = new WebAssembly.Instance(compiled("glue/access.wasm"), {
    js,
    env: { memory: kernel },
  });
  return exports as unknown as Nobody;
}

function memories(bytes: number): { rows: WebAssembly.Table; all: Memories } {
  const rows = new WebAssembly.Table({ element: "anyfunc", initial: ROW });
  return { rows, all: new Memories(user, kernel, new Rows(rows, nobody()), bytes) };
}

test("a memory grows with what is mapped, up to its end", () => {
  const it = space();
  const before = it.size;
  assert.ok(it.map(200 * PAGE, 4096));
  assert.equal(it.size, 201 * PAGE);
  assert.ok(before < it.size);
  assert.ok(!it.map(256 * PAGE, 4096));
  assert.ok(!it.reach(2 ** 32 + 1));
});

test("what is mapped again is zero", () => {
  const it = space();
  it.map(PAGE, 3 * 4096);
  it.bytes.fill(7, PAGE, PAGE + 3 * 4096);
  it.map(PAGE + 4096, 4096);
  assert.deepEqual([...it.bytes.subarray(PAGE + 4094, PAGE + 4098)], [7, 7, 0, 0]);
  assert.deepEqual([...it.bytes.subarray(PAGE + 8190, PAGE + 8194)], [0, 0, 7, 7]);
});

test("nothing of a process is left where it had something", () => {
  const it = space();
  it.map(PAGE, 4096);
  it.map(20 * PAGE, 2 * PAGE);
  it.use(1024, 100);
  for (const at of [1030, PAGE + 5, 20 * PAGE, 22 * PAGE - 1]) it.bytes[at] = 1;
  it.wipe();
  assert.ok(it.bytes.every((byte) => byte === 0));
});

test("what a process wrote where it had nothing is not in the next one's mappings", () => {
  const it = space();
  it.map(PAGE, 4096);
  for (const at of [5, 10 * PAGE + 4095, 40 * PAGE]) it.bytes[at] = 1;
  it.wipe();
  it.map(10 * PAGE, 4096);
  it.map(40 * PAGE, 4096);
  it.use(0, 1);
  assert.ok(it.bytes.every((byte) => byte === 0));
  // Nor is what this one wrote before it had something there.
  it.bytes[10 * PAGE + 4096] = 9;
  it.map(10 * PAGE + 4096, 4096);
  assert.ok(it.bytes.every((byte) => byte === 0));
});

test("a program that grows its memory itself does no harm", () => {
  const it = space();
  it.memory.grow(3);
  assert.equal(it.bytes.length, it.size);
  assert.ok(it.map(it.size - 4096, 4096));
});

test("pages are copied and moved", () => {
  const [from, to] = [space(), space()];
  from.map(100 * PAGE, 8192);
  from.bytes.fill(3, 100 * PAGE, 100 * PAGE + 8192);
  assert.ok(to.copy(from, 100 * PAGE, 8192));
  assert.equal(to.bytes[100 * PAGE + 8191], 3);
  assert.ok(to.move(100 * PAGE, 150 * PAGE, 8192));
  assert.equal(to.bytes[150 * PAGE + 8191], 3);
  assert.ok(!to.move(100 * PAGE, 255 * PAGE + 61440, 8192));
});

test("the kernel reaches what exists, and never the first 64 KiB", () => {
  const it = space();
  const { copy_from, copy_to, clear, strncpy, strnlen } = it.access as unknown as Record<
    string,
    (...args: number[]) => number
  >;
  const end = it.size;
  const bytes = new Uint8Array(kernel.buffer);
  bytes.set([1, 2, 3, 4, 5, 6, 7, 8], 0);
  assert.equal(copy_to!(PAGE, 0, 8), 0);
  assert.equal(copy_to!(end - 4, 0, 8), 4);
  assert.equal(copy_to!(end, 0, 8), 8);
  assert.equal(copy_to!(end + 100, 0, 0), 0);
  assert.equal(copy_to!(0xffffffff | 0, 0, 8), 8);
  assert.equal(copy_to!(0, 0, 8), 8);
  assert.equal(copy_to!(PAGE - 4, 0, 8), 8);
  assert.equal(copy_from!(1000, end - 4, 8), 4);
  assert.deepEqual([...bytes.subarray(1000, 1004)], [1, 2, 3, 4]);
  assert.equal(copy_from!(1000, end + 1, 0), 0);
  assert.equal(copy_from!(1000, PAGE, 4), 0);
  assert.equal(clear!(end - 2, 4), 2);
  assert.equal(clear!(end + 5, 0), 0);
  assert.equal(clear!(5, 4), 4);
  assert.equal(strncpy!(2000, PAGE, 4), 4, "no NUL within the length");
  it.bytes.set([65, 66, 0], PAGE);
  assert.equal(strncpy!(2000, PAGE, 100), 2);
  assert.equal(strnlen!(PAGE, 100), 3);
  assert.equal(strnlen!(PAGE, 1), 2);
  it.bytes.fill(65, end - 3);
  assert.equal(strncpy!(2000, end - 3, 100), -14);
  assert.equal(strnlen!(end - 3, 100), 0);
  assert.equal(strncpy!(2000, 5, 100), -14);
});

test("memories are used again, and keep their rows", () => {
  const { rows, all } = memories(64 << 20);
  const first = all.create();
  const { handle, space: its } = first;
  assert.ok(handle > 0 && its);
  assert.equal(rows.get(handle * ROW + Slot.copyFrom), its.access.copy_from);
  all.release(handle);
  all.release(handle);
  assert.deepEqual(all.counts(), { live: 0, pooled: 1 });
  const second = all.create();
  assert.equal(second.space, its);
  assert.equal(second.handle, handle);
  assert.equal(all.get(handle), second);
});

test("a memory that has grown large is not kept", () => {
  const { all } = memories(64 << 20);
  const it = all.create();
  it.space!.map(32 << 20, 4096);
  all.release(it.handle);
  assert.equal(all.counts().pooled, 0);
});

test("when the host has no more, a process gets what another gives back", () => {
  const { rows, all } = memories(64 << 20);
  const first = all.create();
  // A host that refuses.
  const { Memory } = WebAssembly;
  let asked = 0;
  WebAssembly.Memory = function () {
    asked++;
    throw new RangeError("could not allocate memory");
  } as never;
  try {
    const second = all.create();
    assert.equal(second.space, undefined);
    assert.equal(all.open(second), undefined);
    assert.equal(all.open(second), undefined);
    assert.equal(asked, 1, "it is not asked again at once");
    const none = rows.get(second.handle * ROW + Slot.copyFrom);
    const its = first.space!;
    all.release(first.handle);
    assert.equal(all.open(second), its);
    assert.equal(its.row, second.handle);
    assert.notEqual(rows.get(second.handle * ROW + Slot.copyFrom), none);
    all.release(second.handle);
    assert.equal(all.create().space, its);
  } finally {
    WebAssembly.Memory = Memory;
  }
});
