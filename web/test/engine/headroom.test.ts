/** What the frame costs that a system call enters first. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

/** A boot makes some hundreds, and 50 were too many. */
const CALLS = 20_000;

test("a boot's system calls do not have the large frame optimized", () => {
  const source = new URL("../../src/engine/headroom.ts", import.meta.url);
  const script = `
    import { headroom } from ${JSON.stringify(source.href)};
    const enter = headroom(new WebAssembly.Memory({ initial: 1 }));
    for (let n = 0; n < ${CALLS}; n++) enter(0);
  `;
  // V8 tells what it compiles, and does it at once instead of in another thread.
  const flags = ["--trace-wasm-compilation-times", "--wasm-sync-tier-up"];
  const args = [...flags, "--input-type=module", "--eval", script];
  const log = execFileSync(process.execPath, args, { encoding: "utf8" });
  const compilers = [];
  for (const [, compiler, size] of log.matchAll(/using (\w+), .* bodysize (\d+) /g)) {
    // The only function in the process that is so large.
    if (Number(size) > 64 << 10) compilers.push(compiler);
  }
  assert.deepEqual(compilers, ["Liftoff"]);
});
