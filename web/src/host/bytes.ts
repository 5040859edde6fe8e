/** Commands and files in the form that `web/host/src/spec.rs` reads. */
import { concat } from "../bytes.ts";

/** What to run. */
export interface Command {
  /** The program, looked for in PATH if it has no slash, and its arguments. */
  argv: readonly string[];
  /** Variables beside those that every command has. */
  env?: Readonly<Record<string, string>>;
  /** The working directory; `/` by default. */
  cwd?: string;
}

/** A file for the guest's root file system, owned by root. */
export interface GuestFile {
  /** Absolute. Folders that are missing are made. */
  path: string;
  /** Permission bits; 0o644 by default. */
  mode?: number;
  bytes: Uint8Array;
}

const encoder = new TextEncoder();

/** Throws when a string has a NUL in it, which no program can be given. */
export function commandBytes({ argv, env = {}, cwd = "/" }: Command): Uint8Array {
  const strings = [cwd, ...argv];
  for (const [name, value] of Object.entries(env)) {
    if (name === "" || name.includes("=")) {
      throw new Error(`"${name}" is no name of an environment variable`);
    }
    strings.push(`${name}=${value}`);
  }
  if (strings.some((text) => text.includes("\0"))) {
    throw new Error("an argument, environment variable or directory contains a NUL character");
  }
  return concat([words(argv.length), encoder.encode(strings.map((text) => text + "\0").join(""))]);
}

export function fileBytes(files: readonly GuestFile[]): Uint8Array {
  return concat(
    files.flatMap(({ path, mode = 0o644, bytes }) => {
      const name = encoder.encode(path);
      return [words(mode, name.length, bytes.length), name, bytes];
    }),
  );
}

function words(...values: number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => bytes.setUint32(4 * i, value, true));
  return new Uint8Array(bytes.buffer);
}
