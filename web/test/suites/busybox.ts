/**
 * BusyBox's own tests in this engine, as `runner/tests/suites` runs them natively:
 * each unit on a machine of its own. Prints a table beside what is expected
 * natively (`userland/suites/busybox/expected.toml`) and here, and ends with 1 when
 * a case fails that must not, or passes that must fail.
 *
 *     node test/suites/busybox.ts [UNIT...]
 */
import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { boot } from "../engine/boot.ts";
import { Cpio } from "../engine/cpio.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const SUITE = process.env.WASMLINUX_SUITE ?? `${ROOT}target/guest/suites/busybox`;
const LOGS = `${ROOT}target/web-suites/busybox`;
const DEADLINE = 180_000;

/** Fails here and not natively: the reason. */
const HERE: Record<string, string> = {};

type Verdict = "pass" | "fail" | "skip";

/** The suite's own programs, which its build made. */
const programs: [string, Uint8Array<ArrayBuffer>][] = [];

function isModule(file: string): boolean {
  return readFileSync(file).subarray(0, 4).toString("latin1") === "\0asm";
}

function instrumented(file: string): Uint8Array<ArrayBuffer> {
  const out = `${LOGS}/instrumented.wasm`;
  execFileSync(`${ROOT}target/release/wasmlinux-instrument`, [file, out]);
  return new Uint8Array(readFileSync(out));
}

function addFolder(archive: Cpio, from: string, to: string): void {
  archive.folder(to);
  for (const name of readdirSync(from).sort()) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    const stat = lstatSync(source);
    if (stat.isDirectory()) addFolder(archive, source, target);
    else if (stat.isSymbolicLink()) archive.link(target, readlinkSync(source));
    else if (isModule(source)) programs.push([target, instrumented(source)]);
    else archive.file(target, readFileSync(source), stat.mode & 0o111 ? 0o100755 : 0o100644);
  }
}

function files(archive: Cpio): void {
  programs.length = 0;
  addFolder(archive, SUITE, "/suite");
  archive.file("/suite/run", readFileSync(`${ROOT}userland/suites/busybox/run`));
  const config = `${ROOT}target/guest/busybox.config`;
  archive.file(
    "/suite/.config",
    readFileSync(process.env.WASMLINUX_BUSYBOX_CONFIG ?? config),
    0o100644,
  );
}

/** The native table: `[unit]`, then `"case" = "reason"`. */
function expectedNatively(): Map<string, string> {
  const found = new Map<string, string>();
  const text = readFileSync(`${ROOT}userland/suites/busybox/expected.toml`, "utf8");
  let unit = "";
  for (const line of text.split("\n")) {
    const head = /^\[(.*)\]$/.exec(line);
    if (head) unit = head[1]!.replace(/^"|"$/g, "");
    const entry = /^"((?:[^"\\]|\\.)*)" = "((?:[^"\\]|\\.)*)"$/.exec(line);
    if (entry) found.set(`${unit}: ${JSON.parse(`"${entry[1]}"`)}`, entry[2]!);
  }
  return found;
}

async function script(unit: string): Promise<{ output: string; code: number | undefined }> {
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

mkdirSync(LOGS, { recursive: true });
const native = expectedNatively();
const asked = process.argv.slice(2);
const units = asked.length ? asked : (await script("")).output.trim().split("\n");
const totals = { pass: 0, skip: 0, expected: 0, fail: 0 };
const wrong: string[] = [];
for (const unit of units) {
  const { output, code } = await script(unit);
  writeFileSync(`${LOGS}/${unit}.log`, output);
  const found = cases(output);
  if (code === undefined) wrong.push(`${unit}: did not end`);
  else if (found.size === 0) wrong.push(`${unit}: has no results`);
  for (const [name, verdict] of found) {
    const key = `${unit}: ${name}`;
    const reason = HERE[key] ?? native.get(key);
    if (verdict === "skip") totals.skip++;
    else if (verdict === "fail" && reason) totals.expected++;
    else if (verdict === "pass" && (!reason || reason.startsWith("race: "))) totals.pass++;
    else {
      totals.fail++;
      wrong.push(verdict === "fail" ? `${key}: fails` : `${key}: passes, although: ${reason}`);
    }
  }
  console.log(
    `${unit}: ${[...found.values()].filter((v) => v === "pass").length} of ${found.size}`,
  );
}
for (const line of wrong) console.log(line);
const { pass, skip, expected, fail } = totals;
console.log(`${pass} passed, ${expected} failed as expected, ${skip} skipped, ${fail} wrong`);
process.exit(wrong.length ? 1 : 0);
