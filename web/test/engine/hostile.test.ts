/** Programs that no compiler makes: each gets an errno or a signal, the machine goes on. */
import { ENOEXEC } from "../../src/errno.ts";
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { boot, stopMachines, stub, type Guest } from "./boot.ts";
import { build, GLOBALS, I32, I64, s32, type Spec } from "./wasm.ts";
import type { Result } from "./devices.ts";

afterEach(stopMachines);

const TYPES: Spec["types"] = [
  [[I32], []],
  [[I32, I64, I64, I64, I64, I64, I64], [I32]],
  [[], [I32]],
  [[I32, I32, I32, I32, I32], []],
];
const SYSCALL = ["linux", "syscall", 1] as [string, string, number];
const FORK = ["linux", "fork", 2] as [string, string, number];
const POLL = ["linux", "poll", 2] as [string, string, number];

/** A system call with small arguments; its result is dropped. */
function call(nr: number, ...args: number[]): number[] {
  const words = Array.from({ length: 6 }, (_, n) => args[n] ?? 0);
  return [0x41, ...s32(nr), ...words.flatMap((arg) => [0x42, ...s32(arg)]), 0x10, 0, 0x1a];
}

const NOTHING = call(94, 3);
const FOREVER = [0x03, 0x40, 0x0c, 0, 0x0b];

let id = 0;

interface Odd extends Spec {
  /** Accepted where only the bytes could tell. */
  trusted?: boolean;
}

/** What becomes of a program, and that the machine still runs others. */
async function run(spec: Odd): Promise<{ result: Result; guest: Guest }> {
  const bytes = build({ types: TYPES, imports: [SYSCALL], id: ++id, ...spec });
  const guest = await boot({ files: (archive) => archive.file("/usr/local/bin/odd", stub(bytes)) });
  const module = new WebAssembly.Module(bytes);
  assert.equal(guest.programs.add(module, spec.trusted ? undefined : bytes), undefined);
  const result = await guest.run({ argv: ["/usr/local/bin/odd"] });
  assert.equal(await guest.sh("echo alive | cat; /bin/true"), "alive\n");
  return { result, guest };
}

test("a good program of this kind runs", async () => {
  const { result } = await run({ functions: [["_start", 0, NOTHING]] });
  assert.equal(result.code, 3);
});

test("a program whose main returns has ended well", async () => {
  const { result } = await run({ functions: [["_start", 0, []]] });
  assert.equal(result.code, 0);
});

test("an import of another type", async () => {
  const { result, guest } = await run({
    imports: [["linux", "syscall", 0]],
    functions: [["_start", 0, []]],
  });
  assert.equal(result.status, -ENOEXEC);
  assert.match(guest.devices.log, /cannot execute/);
});

test("a _start of another type", async () => {
  const { result } = await run({ functions: [["_start", 2, [0x41, 1]]] });
  assert.equal(result.status, -ENOEXEC);
});

test("a table and data that instantiation cannot place", async () => {
  const { result } = await run({
    functions: [["_start", 0, []]],
    data: [[0x7fff0000, [1]]],
  });
  assert.equal(result.status, -ENOEXEC);
});

test("data outside of what its image promises is no one's", async () => {
  const { result } = await run({
    functions: [["_start", 0, NOTHING]],
    data: [[100, [1, 2, 3]]],
  });
  assert.equal(result.code, 3);
});

test("a memory larger than any", async () => {
  const { result } = await run({ functions: [["_start", 0, NOTHING]], memory: 65536 });
  assert.equal(result.status, -ENOEXEC);
});

test("another version of the instrumentation", async () => {
  const globals = GLOBALS.map((g) =>
    g[0] === "__linux_abi" ? (["__linux_abi", 9, "constant"] as const) : g,
  );
  const { result } = await run({
    functions: [["_start", 0, NOTHING]],
    globals: globals as Spec["globals"],
  });
  assert.equal(result.status, -ENOEXEC);
});

test("an endless start function is refused by its bytes", () => {
  const bytes = build({
    types: [
      [[I32], []],
      [[], []],
    ],
    functions: [
      ["_start", 0, []],
      [undefined, 1, FOREVER],
    ],
    start: 1,
  });
  assert.throws(() => stub(bytes), /start function/);
});

test("endless recursion", async () => {
  const { result } = await run({ functions: [["_start", 0, [0x20, 0, 0x10, 1]]] });
  assert.equal(result.code, 139);
});

test("a full stack with system calls on the way", async () => {
  const code = [...call(172), 0x20, 0, 0x10, 1];
  const { result } = await run({ functions: [["_start", 0, code]] });
  assert.equal(result.code, 139);
});

test("traps", async () => {
  for (const [code, status] of [
    [[0x00], 132],
    [[0x41, 1, 0x41, 0, 0x6d, 0x1a], 136],
    [[0x41, 0x7f, 0x28, 2, 0, 0x1a], 139],
  ] as const) {
    const { result } = await run({ functions: [["_start", 0, [...code]]] });
    assert.equal(result.code, status);
  }
});

/** Sets a global by its number. */
function set(global: number, value: number): number[] {
  return [0x41, ...s32(value), 0x24, global];
}
const [STATE, FRAMES, FRAMES_END] = [2, 3, 4];

test("frames that were never saved", async () => {
  // It says that it is saved, or restored, where it should not be.
  for (const state of [1, 2, 77, -1]) {
    const { result } = await run({ functions: [["_start", 0, set(STATE, state)]] });
    assert.ok(result.code === 0 || result.code >= 128, `${state}: ${result.code}`);
    const calls = [...set(STATE, state), ...call(172), ...NOTHING];
    const second = await run({ functions: [["_start", 0, calls]] });
    assert.ok(
      second.result.code === 3 || second.result.code >= 128,
      `${state}: ${second.result.code}`,
    );
  }
});

test("a fork that returns without saving anything", async () => {
  const { result } = await run({
    imports: [SYSCALL, FORK],
    functions: [["_start", 0, [0x10, 1, 0x1a, ...NOTHING]]],
  });
  assert.equal(result.code, 3);
});

test("a fork that lies about its frames", async () => {
  for (const at of [-1, 0, 5, 0x7fffffff]) {
    const code = [0x10, 1, 0x1a, ...set(FRAMES, at), ...set(FRAMES_END, 0)];
    const { result } = await run({ imports: [SYSCALL, FORK], functions: [["_start", 0, code]] });
    assert.ok(result.code === 0 || result.code >= 128, `${at}: ${result.code}`);
  }
});

test("a fork bomb by hand", async () => {
  // Each comes back in state 2 to its start and forks again: it has to end.
  const code = [0x10, 1, 0x45, 0x04, 0x40, ...NOTHING, 0x0b];
  const { result } = await run({ imports: [SYSCALL, FORK], functions: [["_start", 0, code]] });
  assert.ok(result.code === 0 || result.code === 3 || result.code >= 128, String(result.code));
});

test("polls of one that was not asked", async () => {
  const code = [...set(STATE, 2), 0x10, 1, 0x1a, ...NOTHING];
  const { result } = await run({ imports: [SYSCALL, POLL], functions: [["_start", 0, code]] });
  assert.ok(result.code === 3 || result.code >= 128, String(result.code));
});

test("a stack pointer that points nowhere, with a signal", async () => {
  for (const sp of [0, 17, -1, -65536, 0x7ffffff0]) {
    // rt_sigaction(SIGUSR1) with the handler 1; kill(0) would be others, too: tkill itself.
    const memory = [0x41, ...s32(65536), 0x41, 1, 0x36, 2, 0];
    const code = [
      ...memory,
      ...call(134, 10, 65536, 0, 8),
      ...set(1, sp),
      ...call(172),
      ...call(129, 0, 10),
      ...NOTHING,
    ];
    const { result } = await run({
      image: { dataStart: 65536, dataEnd: 131072 },
      functions: [
        ["_start", 0, code],
        ["__wasm_signal", 3, []],
      ],
      memory: 2,
    });
    assert.ok(result.code === 3 || result.code >= 128, `${sp}: ${result.code}`);
  }
});

test("a busy loop without safepoints cannot be accepted for long", async () => {
  // It holds the worker until it ends: a budget is the program's own promise. What
  // has none at all is told when it is added.
  const bytes = build({ globals: GLOBALS.slice(1) });
  const guest = await boot();
  assert.match(guest.programs.add(new WebAssembly.Module(bytes), bytes)!, /not instrumented/);
});
