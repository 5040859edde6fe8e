/** The guest test programs: the list of `runner/tests/guest.rs` is the list. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export function listed(): string[] {
  const file = new URL("../../../runner/tests/guest.rs", import.meta.url);
  const block = /^programs! \{\n(.*?)^\}/ms.exec(readFileSync(file, "utf8"));
  assert.ok(block, "guest.rs has a list");
  return [...block[1]!.matchAll(/^ *(\w+)/gm)].map((line) => line[1]!);
}
