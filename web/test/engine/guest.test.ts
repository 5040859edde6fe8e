/**
 * The guest test programs (`userland/tests`), each on a machine of its own, as
 * `runner/tests/guest.rs` runs them natively: its list is the list.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { boot } from "./boot.ts";
import { EXPECTED } from "./expected.ts";
import { listed } from "./list.ts";

const DEADLINE = 120_000;

/** What it said, or undefined when it ended with 0. */
async function failure(name: string): Promise<string | undefined> {
  const guest = await boot({ tests: [name] });
  let timeout: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timeout = setTimeout(() => reject(new Error(`no end within ${DEADLINE} ms`)), DEADLINE);
  });
  try {
    const result = await Promise.race([guest.run({ argv: [`/usr/local/bin/${name}`] }), late]);
    if (result.code === 0) return undefined;
    return `${result.code}\n${result.stdout}${result.stderr}\n${guest.devices.log.slice(-1000)}`;
  } catch (error) {
    return `${error}\n${guest.devices.log.slice(-1000)}`;
  } finally {
    clearTimeout(timeout);
    guest.machine.stop();
  }
}

const names = listed();

for (const name of names) {
  test(name, async () => {
    const said = await failure(name);
    const reason = EXPECTED[name];
    if (!reason) assert.equal(said, undefined);
    else assert.ok(said, `passes, although: ${reason}`);
  });
}

test("no program is forgotten", () => {
  assert.ok(names.length > 80);
  const unknown = Object.keys(EXPECTED).filter((name) => !names.includes(name));
  assert.deepEqual(unknown, [], "expected to fail, but there are no such programs");
});
