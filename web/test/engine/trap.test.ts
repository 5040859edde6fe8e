import assert from "node:assert/strict";
import { test } from "node:test";
import { faultOf, functionsOf } from "../../src/engine/trap.ts";
import { build, F64, I32, I64, type Spec } from "./wasm.ts";

const [SIGILL, SIGFPE, SIGSEGV] = [4, 8, 11];

function trapOf(code: number[], spec: Spec = {}): unknown {
  const types: Spec["types"] = [
    [[I32], []],
    [[I32], [I32]],
  ];
  const bytes = build({ types, functions: [["_start", 0, code]], ...spec });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  try {
    (exports._start as (n: number) => void)(0);
  } catch (error) {
    return error;
  }
  throw new Error("it does not trap");
}

test("traps of this engine are signals", () => {
  const cases: [string, number[], number, number, Spec?][] = [
    ["unreachable", [0x00], SIGILL, 1],
    ["division by zero", [0x41, 1, 0x20, 0, 0x6d, 0x1a], SIGFPE, 1],
    ["remainder by zero", [0x41, 1, 0x20, 0, 0x6f, 0x1a], SIGFPE, 1],
    [
      "the largest quotient",
      [0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x41, 0x7f, 0x6d, 0x1a],
      SIGFPE,
      2,
    ],
    ["NaN to integer", [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 0xaa, 0x1a], SIGFPE, 7],
    ["beyond the memory", [0x41, 0x7f, 0x28, 2, 0, 0x1a], SIGSEGV, 1],
    ["an empty slot of a table", [0x41, 0, 0x20, 0, 0x11, 1, 0, 0x1a], SIGSEGV, 1, { table: 4 }],
    ["beyond the table", [0x41, 0, 0x41, 99 - 64, 0x11, 1, 0, 0x1a], SIGSEGV, 1, { table: 4 }],
    ["a full stack", [0x20, 0, 0x10, 0], SIGSEGV, 1],
  ];
  for (const [what, code, sig, si, spec] of cases)
    assert.deepEqual(faultOf(trapOf(code, spec)), { sig, code: si }, what);
  void [F64, I64];
});

test("texts of other engines", () => {
  const cases: [string, number, number][] = [
    ["integer divide by zero", SIGFPE, 1],
    ["Division by zero (evaluating 'f()')", SIGFPE, 1],
    ["integer overflow", SIGFPE, 7],
    ["indirect call to null", SIGSEGV, 1],
    ["index out of bounds", SIGSEGV, 1],
    ["Out of bounds memory access (evaluating 'f()')", SIGSEGV, 1],
    ["too much recursion", SIGSEGV, 1],
    ["unreachable executed", SIGILL, 1],
    ["indirect call signature mismatch", SIGILL, 2],
  ];
  for (const [text, sig, code] of cases)
    assert.deepEqual(faultOf(new Error(text)), { sig, code }, text);
});

test("an exception nobody caught is a trap", () => {
  const tag = new WebAssembly.Tag({ parameters: [] });
  const error = new WebAssembly.Exception(tag, []);
  assert.deepEqual(faultOf(error, true), { sig: SIGILL, code: 1 });
});

test("functions on the stack by name", () => {
  const error = new Error();
  error.stack = `RuntimeError: unreachable
    at abort (wasm://wasm/busybox-123:wasm-function[7]:0x10)
    at busybox.wasm.main_any (wasm://wasm/busybox-123:wasm-function[9]:0x20)
    at Scheduler.run (file:///scheduler.ts:1:2)`;
  assert.deepEqual(functionsOf(error), ["abort", "main_any"]);
  error.stack =
    "abort@http://localhost/a.wasm:wasm-function[7]:0x10\nrun@http://localhost/a.js:1:2\n";
  assert.deepEqual(functionsOf(error), ["abort"]);
});
