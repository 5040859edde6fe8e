/**
 * What the engine must know of a program module before it runs it, read from
 * its bytes: a compiled module does not tell all of it. Nothing is trusted; code
 * is left to the compiler.
 */

/** What `linux.image` says: see ARCHITECTURE.md, "A program module". */
export interface Image {
  readonly dataStart: number;
  readonly dataEnd: number;
  /** In hexadecimal. */
  readonly buildId: string;
}

/** A sentence's end that says why a module is no program. */
export class NotAProgram extends Error {}

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** Of magic and version. */
export const HEADER_LENGTH = MAGIC.length;
const IMAGE = "linux.image";
const IMAGE_MAGIC = 0x31494c57;
const IMAGE_LENGTH = 48;
const Section = { custom: 0, imports: 2, tables: 4, globals: 6, exports: 7, start: 8 } as const;
const Kind = { func: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

/** Mutable globals that the engine sets for each process. */
const OURS = new Set([
  "__stack_pointer",
  "__tls_base",
  "__linux_state",
  "__linux_frames",
  "__linux_frames_end",
  "__linux_budget",
  "__linux_jumps",
  "__linux_stack_limit",
]);
/** A table takes memory for each instance. */
const TABLE_MAX = 1 << 20;

/** Throws `NotAProgram` at the end of the bytes. */
export class Reader {
  at: number;
  readonly end: number;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw new NotAProgram("it is cut short");
    return this.bytes[this.at++]!;
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (!(byte & 0x80)) return value;
    }
    throw new NotAProgram("a number in it has no end");
  }

  /** Integers of constant expressions and 64-bit limits: only their length matters. */
  skipNumber(): void {
    while (this.byte() & 0x80);
  }

  take(length: number): Uint8Array {
    if (length > this.end - this.at) throw new NotAProgram("it is cut short");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.u32()));
  }

  section(): Reader {
    const length = this.u32();
    const from = this.at;
    this.take(length);
    return new Reader(this.bytes, from, from + length);
  }
}

/** The data of a `linux.image` section. */
export function readImage(bytes: Uint8Array): Image {
  if (bytes.length < IMAGE_LENGTH) throw new NotAProgram("its linux.image section is cut short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== IMAGE_MAGIC || view.getUint32(12, true) !== 0)
    throw new NotAProgram("it was made for another version of the system");
  const dataStart = view.getUint32(4, true);
  const dataEnd = view.getUint32(8, true);
  return { dataStart, dataEnd, buildId: hex(bytes.subarray(16, 48)) };
}

/** Throws `NotAProgram` where the compiled module would not tell. */
export function readModule(bytes: Uint8Array): Image {
  const reader = new Reader(bytes);
  if (MAGIC.some((byte) => reader.at >= reader.end || reader.byte() !== byte))
    throw new NotAProgram("it is no WebAssembly module");
  let image: Image | undefined;
  let imported = 0;
  let mutable: number[] = [];
  let exported = new Map<number, string>();
  for (let first = true; reader.at < reader.end; first = false) {
    const id = reader.byte();
    const section = reader.section();
    if (id === Section.custom && first && section.name() === IMAGE)
      image = readImage(section.take(section.end - section.at));
    else if (id === Section.imports) imported = countImportedGlobals(section);
    else if (id === Section.tables) checkTables(section);
    else if (id === Section.globals) mutable = mutableGlobals(section, imported);
    else if (id === Section.exports) exported = exportedGlobals(section);
    else if (id === Section.start) throw new NotAProgram("it has a start function");
  }
  if (!image) throw new NotAProgram("it does not begin with a linux.image section");
  // An instance is used by process after process, and a fork cannot see them.
  if (mutable.some((index) => !OURS.has(exported.get(index) ?? "")))
    throw new NotAProgram("it keeps state in WebAssembly globals of its own");
  return image;
}

function countImportedGlobals(section: Reader): number {
  let globals = 0;
  for (let left = section.u32(); left > 0; left--) {
    section.name();
    section.name();
    const kind = section.byte();
    if (kind === Kind.func) section.u32();
    else if (kind === Kind.table) {
      skipType(section);
      limits(section);
    } else if (kind === Kind.memory) limits(section);
    else if (kind === Kind.global) {
      skipType(section);
      section.byte();
      globals++;
    } else if (kind === Kind.tag) {
      section.byte();
      section.u32();
    } else throw new NotAProgram("it imports something unknown");
  }
  return globals;
}

function checkTables(section: Reader): void {
  for (let left = section.u32(); left > 0; left--) {
    const type = section.byte();
    // With an initial value, which only function references of ours have not.
    if (type === 0x40) throw new NotAProgram("it has a table with an initial value");
    if (type === 0x63 || type === 0x64) section.skipNumber();
    if (limits(section) > TABLE_MAX) throw new NotAProgram("its table is too large");
  }
}

/** The minimum. */
function limits(section: Reader): number {
  const flags = section.byte();
  const minimum = section.u32();
  if (flags & 1) section.skipNumber();
  return minimum;
}

function skipType(section: Reader): void {
  const type = section.byte();
  if (type === 0x63 || type === 0x64) section.skipNumber();
}

function mutableGlobals(section: Reader, imported: number): number[] {
  const found = [];
  for (let left = section.u32(), index = imported; left > 0; left--, index++) {
    skipType(section);
    if (section.byte() & 1) found.push(index);
    skipConstant(section);
  }
  return found;
}

function skipConstant(section: Reader): void {
  for (;;) {
    const op = section.byte();
    if (op === 0x0b) return;
    if (op === 0x41 || op === 0x42 || op === 0x23 || op === 0xd2) section.skipNumber();
    else if (op === 0x43) section.take(4);
    else if (op === 0x44) section.take(8);
    else if (op === 0xd0) section.skipNumber();
    else if (op === 0xfd) {
      section.u32();
      section.take(16);
    } else if (!(op >= 0x6a && op <= 0x6c) && !(op >= 0x7c && op <= 0x7e))
      throw new NotAProgram("it has a global with an unknown initial value");
  }
}

/** Names of exported globals by index. */
function exportedGlobals(section: Reader): Map<number, string> {
  const found = new Map<number, string>();
  for (let left = section.u32(); left > 0; left--) {
    const name = section.name();
    const kind = section.byte();
    const index = section.u32();
    // One that goes by several names is none of ours.
    if (kind === Kind.global) found.set(index, found.has(index) ? "" : name);
  }
  return found;
}

export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
