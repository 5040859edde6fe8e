/** What TypeScript believes of the Rust module is what the module exports. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

function names(file: string, pattern: RegExp): string[] {
  const text = readFileSync(new URL(file, import.meta.url), "utf8");
  // A name, and how many parameters it has.
  const found = [...text.matchAll(pattern)].map(([, name, list]) => {
    return `${name} ${list!.split(":").length - 1}`;
  });
  return found.sort();
}

test("the declarations are those of exports.rs", () => {
  const rust = names("../../host/src/exports.rs", /extern "C" fn (page_\w+)\(([^)]*)\)/g);
  assert.ok(rust.length > 20, String(rust));
  const declared = names("../../src/host/build.d.ts", /\b_(page_\w+)\(([^)]*)\)/g);
  assert.deepEqual(declared, rust);
});
