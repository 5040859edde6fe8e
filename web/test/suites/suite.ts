/**
 * Other programs' own tests in this engine, as `runner/tests/suites` runs them
 * natively: each unit on a machine of its own, with the same table of what must fail
 * (`userland/suites/NAME/expected.toml`). `target/web-suites/NAME.txt` lists every
 * case. Without WASMLINUX_TEST_ALL=1, a few units.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { after, afterEach, test } from "node:test";
import { boot, stopMachines } from "../engine/boot.ts";
import { Cpio } from "../engine/cpio.ts";

export const ROOT = new URL("../../../", import.meta.url).pathname;
const GUEST = process.env.WASMLINUX_GUEST ?? `${ROOT}target/guest`;
const LOGS = `${ROOT}target/web-suites`;
const DEADLINE = 180_000;

type Verdict = "pass" | "fail" | "skip";
/** A path in the guest, and the program there. */
type Programs = [string, Uint8Array<ArrayBuffer>][];

function isModule(file: string): boolean {
  return readFileSync(file).subarray(0, 4).toString("latin1") === "\0asm";
}

const done = new Map<string, Uint8Array<ArrayBuffer>>();

function instrumented(file: string): Uint8Array<ArrayBuffer> {
  const known = done.get(file);
  if (known) return known;
  const out = `${LOGS}/instrumented.wasm`;
  execFileSync(`${ROOT}target/release/wasmlinux-instrument`, [file, out]);
  const bytes = new Uint8Array(readFileSync(out));
  done.set(file, bytes);
  return bytes;
}

/** Its programs are kept for later. */
function addFolder(archive: Cpio, programs: Programs, from: string, to: string): void {
  archive.folder(to);
  for (const name of readdirSync(from).sort()) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    const stat = lstatSync(source);
    if (stat.isDirectory()) addFolder(archive, programs, source, target);
    else if (stat.isSymbolicLink()) archive.link(target, readlinkSync(source));
    else if (isModule(source)) programs.push([target, instrumented(source)]);
    else archive.file(target, readFileSync(source), stat.mode & 0o111 ? 0o100755 : 0o100644);
  }
}

/** The native table: `[unit]`, then `"case" = "reason"`. */
function expectedNatively(suite: string): Map<string, string> {
  const found = new Map<string, string>();
  const file = `${ROOT}userland/suites/${suite}/expected.toml`;
  // A suite of which everything passes needs none.
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  let unit = "";
  for (const line of text.split("\n")) {
    const head = /^\[(.*)\]$/.exec(line);
    if (head) unit = head[1]!.replace(/^"|"$/g, "");
    const entry = /^"((?:[^"\\]|\\.)*)" = "((?:[^"\\]|\\.)*)"$/.exec(line);
    if (entry) found.set(`${unit}: ${JSON.parse(`"${entry[1]}"`)}`, entry[2]!);
  }
  return found;
}

export interface Suite {
  /** Its folder below `userland/suites` and `target/guest/suites`. */
  name: string;
  /** The units that do not wait for WASMLINUX_TEST_ALL. */
  quick: string[];
  /** With it; every one, if not told. */
  all?: string[];
  /** Why a case that passes natively must fail here, by what it said; undefined: it must not. */
  differs?: (said: string) => string | undefined;
  /** What it needs beside its own folder. */
  more?: (archive: Cpio, guest: string) => void;
}

/** What a unit's script says, and its exit code unless it did not end. */
async function script(
  { name, more }: Suite,
  unit: string,
): Promise<{ output: string; code: number | undefined }> {
  const programs: Programs = [];
  const files = (archive: Cpio) => {
    addFolder(archive, programs, `${GUEST}/suites/${name}`, "/suite");
    archive.file("/suite/run", readFileSync(`${ROOT}userland/suites/${name}/run`));
    more?.(archive, GUEST);
  };
  const guest = await boot({ files, extra: programs, kernelMemory: 96 << 20 });
  const argv = ["sh", "-c", "cd /suite; exec sh /suite/run $0 2>&1", unit];
  const job = guest.devices.run({ argv, cwd: "/" });
  let timeout: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timeout = setTimeout(() => resolve(undefined), DEADLINE);
  });
  const result = await Promise.race([
    job.result,
    late,
    guest.machine.outcome.then(() => undefined),
  ]);
  clearTimeout(timeout);
  guest.machine.stop();
  return { output: job.output(1) + (result ? "" : `\n${guest.devices.log}`), code: result?.code };
}

function cases(output: string): Map<string, Verdict> {
  const found = new Map<string, Verdict>();
  for (const line of output.split("\n")) {
    const parsed = /^(PASS|FAIL|SKIP|SKIPPED|UNTESTED|XFAIL): (.*)$/.exec(line);
    if (!parsed) continue;
    const verdict = parsed[1] === "PASS" ? "pass" : parsed[1] === "FAIL" ? "fail" : "skip";
    let name = parsed[2]!.trim();
    for (let n = 2; found.has(name); n++) name = `${parsed[2]!.trim()} #${n}`;
    found.set(name, verdict);
  }
  return found;
}

/** As the native listing: a verdict, or what is wrong. */
function judge(reason: string | undefined, verdict: Verdict): [string, string, boolean] {
  if (verdict === "skip") return ["skip", "", true];
  if (verdict === "pass" && (!reason || reason.startsWith("race: "))) return ["pass", "", true];
  if (verdict === "fail" && reason) return ["expected-fail", reason, true];
  if (verdict === "fail") return ["FAIL", "fails", false];
  return ["FAIL", `does not fail any more, although: ${reason}`, false];
}

/** What a case has said. */
function saidBy(output: string, one: string): string {
  const lines = output.split("\n").filter((line) => line.startsWith(`${one} -- `));
  return lines.join("\n");
}

/** Defines the suite's tests, one for each unit. */
export async function testSuite(suite: Suite): Promise<void> {
  const { name, quick } = suite;
  mkdirSync(`${LOGS}/${name}`, { recursive: true });
  const expected = expectedNatively(name);
  const listing: string[] = [];
  afterEach(stopMachines);
  after(() => writeFileSync(`${LOGS}/${name}.txt`, listing.join("")));

  const run = async (unit: string) => {
    const { output, code } = await script(suite, unit);
    const log = `${LOGS}/${name}/${unit}.log`;
    writeFileSync(log, output);
    const wrong: string[] = [];
    const found = cases(output);
    if (code === undefined) wrong.push("did not end");
    else if (found.size === 0) wrong.push("has no results");
    for (const [one, verdict] of found) {
      const natively = expected.get(`${unit}: ${one}`);
      const reason = natively ?? suite.differs?.(saidBy(output, one));
      const [word, why, good] = judge(reason, verdict);
      listing.push(`${word}\t${unit}\t${one}\t${why}\n`);
      if (!good) wrong.push(`${one}: ${why}`);
    }
    assert.deepEqual(wrong, [], log);
  };
  const named = (await script(suite, "")).output.trim().split("\n");
  const units = process.env.WASMLINUX_TEST_ALL ? (suite.all ?? named) : quick;
  test("the suite's script names its units", () =>
    assert.deepEqual(
      units.filter((unit) => !named.includes(unit)),
      [],
    ));
  for (const unit of units) test(`${name} ${unit}`, () => run(unit));
}
