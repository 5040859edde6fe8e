/** What `wasmlinux.d.ts` says holds, and is enough for who uses the library. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { declarations } from "../../bundle/declarations.ts";

const web = path.join(import.meta.dirname, "../..");

const CHECK = `
import * as said from "./wasmlinux.js";
import type * as real from "${web}/src/api/index.ts";
import type { Terminal } from "@xterm/xterm";

// Each value there is has the type that is said, and each that is said is there.
export const values: { [name in keyof typeof said]: (typeof said)[name] } =
  undefined as unknown as typeof real;
export const names: keyof typeof said = undefined as unknown as keyof typeof real;

export async function use(terminal: Terminal): Promise<string> {
  const machine = await said.boot({ files: { "/a": "b" }, onProgress: ({ stage }) => stage });
  machine.terminal(terminal);
  const { stdout }: { stdout: string } = await machine.run(["cat"], { stdin: "x" });
  try {
    await machine.readFile("/nowhere");
  } catch (error) {
    if (error instanceof said.MachineError && error.kind === "failed") return error.message;
  }
  return stdout;
}
`;

test("wasmlinux.d.ts fits the library", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wasmlinux-types-"));
  try {
    fs.writeFileSync(path.join(folder, "wasmlinux.d.ts"), declarations(web));
    fs.writeFileSync(path.join(folder, "check.ts"), CHECK);
    fs.symlinkSync(path.join(web, "node_modules"), path.join(folder, "node_modules"));
    const options = {
      extends: path.join(web, "tsconfig.json"),
      compilerOptions: { types: [], skipLibCheck: false },
      files: ["check.ts"],
      include: [],
    };
    fs.writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(options));
    const tsc = path.join(web, "node_modules/.bin/tsc");
    const { status, stdout } = spawnSync(tsc, ["-p", folder], { encoding: "utf8" });
    assert.equal(status, 0, stdout);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
