import assert from "node:assert/strict";
import { test } from "node:test";
import { NotAProgram, readModule } from "../../src/engine/module.ts";
import { Programs } from "../../src/engine/programs.ts";
import { build, GLOBALS, HEADER, I32, image, section, type Spec } from "./wasm.ts";

function why(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  return new Programs().add(new WebAssembly.Module(bytes), bytes);
}

function refuses(spec: Spec, sentence: RegExp): void {
  assert.match(why(build(spec)) ?? "it is accepted", sentence);
}

test("a program's image is read", () => {
  const found = readModule(build({ image: { dataStart: 65536, dataEnd: 131072 }, id: 0x12 }));
  assert.equal(found.dataStart, 65536);
  assert.equal(found.dataEnd, 131072);
  assert.equal(found.buildId, "12" + "a5".repeat(31));
});

test("a good program is accepted, once", () => {
  const programs = new Programs();
  const bytes = build({ id: 7 });
  for (let i = 0; i < 2; i++) {
    assert.equal(programs.add(new WebAssembly.Module(bytes), bytes), undefined);
  }
  const id = new Uint8Array(32).fill(0xa5);
  id[0] = 7;
  assert.equal(programs.find(id), 1);
  assert.ok(programs.get(1));
  id[0] = 8;
  assert.equal(programs.find(id), undefined);
  assert.equal(programs.get(2), undefined);
});

test("what makes a module no program is told", () => {
  refuses({ image: false }, /does not begin with a linux.image/);
  refuses({ globals: GLOBALS.slice(1) }, /not instrumented/);
  refuses({ functions: [["main", 0, []]] }, /no _start/);
  refuses({ globals: GLOBALS.filter(([as]) => as !== "__linux_frames") }, /__linux_frames/);
  refuses({ imports: [["linux", "escape", 0]] }, /imports linux.escape/);
  refuses({ imports: [["env", "syscall", 0]] }, /imports env.syscall/);
  refuses({ globals: [...GLOBALS, ["counter", 0]] }, /globals of its own/);
  refuses({ globals: [...GLOBALS, [undefined, 0]] }, /globals of its own/);
  refuses({ table: 5_000_000 }, /table is too large/);
  const noEnd = build({
    types: [
      [[I32], []],
      [[], []],
    ],
    functions: [
      ["_start", 0, []],
      [undefined, 1, []],
    ],
    start: 1,
  });
  assert.match(why(noEnd)!, /start function/);
});

test("a constant global of its own is no state", () => {
  assert.equal(why(build({ globals: [...GLOBALS, [undefined, 5, "constant"]] })), undefined);
});

test("another version of the section is refused", () => {
  const bytes = build({});
  bytes[22] = 0x32; // "WLI1" becomes "2LI1"
  assert.match(why(bytes)!, /another version/);
});

test("an image that is not the first section does not count", () => {
  const bytes = new Uint8Array([...HEADER, ...section(0, [1, 0x78]), ...image(65536, 65536, 1)]);
  assert.throws(() => readModule(bytes), /does not begin/);
});

test("a module cut anywhere is refused or read, never an accident", () => {
  const whole = build({ table: 3, data: [[65536, [1, 2, 3]]] });
  for (let length = 0; length < whole.length; length++) {
    try {
      readModule(whole.slice(0, length));
    } catch (error) {
      assert.ok(error instanceof NotAProgram, `${length}: ${error}`);
    }
  }
});

test("random changes are refused or read, never an accident", () => {
  const whole = build({ table: 3, data: [[65536, [1, 2, 3]]] });
  let seed = 1;
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) >>> 8;
  for (let n = 0; n < 20_000; n++) {
    const bytes = whole.slice();
    for (let k = random() % 4; k >= 0; k--) bytes[8 + (random() % (bytes.length - 8))] = random();
    try {
      readModule(bytes);
    } catch (error) {
      assert.ok(error instanceof NotAProgram, String(error));
    }
  }
});
