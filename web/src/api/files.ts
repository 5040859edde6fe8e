/** Files of a running guest, by commands in it: any bytes, errors as the guest says them. */
import { MachineError } from "./errors.ts";
import type { Machine, Result } from "./types.ts";

export async function writeFile(
  machine: Machine,
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  // Written beside it first, so that nobody sees half a file.
  const script =
    'cat >"$1.$$" && chmod "$2" "$1.$$" && mv -f "$1.$$" "$1" || { rm -f "$1.$$"; exit 1; }';
  const argv = ["sh", "-c", script, "sh", absolute(path), mode.toString(8)];
  check("write", path, await machine.run(argv, { stdin: content, cwd: "/" }));
}

export async function readFile(machine: Machine, path: string): Promise<Uint8Array> {
  const result = await machine.run(["cat", "--", absolute(path)], { cwd: "/" });
  check("read", path, result);
  return result.stdoutBytes;
}

function absolute(path: string): string {
  if (path.startsWith("/") && !path.includes("\0")) return path;
  throw new MachineError("argument", `"${path}" is no absolute path.`);
}

function check(what: string, path: string, { code, stderr }: Result): void {
  if (code === 0) return;
  // "cat: can't open '/x': No such file or directory"
  const reason = stderr.trim().split("\n")[0]?.split(": ").at(-1) ?? "";
  throw new MachineError("failed", `${path}: cannot ${what} it: ${reason || `status ${code}`}`);
}
