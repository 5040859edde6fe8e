/** Small modules byte by byte, for tests of programs that no compiler makes. */
import { u32 } from "../../src/bytes.ts";

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;

export interface Spec {
  /** Data that `linux.image` promises; `false`: no such section. */
  image?: { dataStart: number; dataEnd: number } | false;
  /** Build id's first byte. */
  id?: number;
  /** Parameters and results. */
  types?: [number[], number[]][];
  /** Functions by module, name and type. */
  imports?: [string, string, number][];
  /** Minimum of `env.memory`; `false`: it is not imported. */
  memory?: number | false;
  table?: number;
  /** Name under which it is exported, or none; initial value; not mutable. */
  globals?: [string | undefined, number, "constant"?][];
  /** Name, or none; type; code without its `end`; i32 locals. */
  functions?: [string | undefined, number, number[], number?][];
  start?: number;
  data?: [number, number[]][];
}

/** Globals that every instrumented program exports. */
export const GLOBALS: NonNullable<Spec["globals"]> = [
  ["__linux_abi", 1, "constant"],
  ["__stack_pointer", 0],
  ["__linux_state", 0],
  ["__linux_frames", 0],
  ["__linux_frames_end", 0],
];

/** A signed number of 32 bits. */
export function s32(value: number): number[] {
  const bytes = [];
  for (;;) {
    const byte = value & 0x7f;
    value >>= 7;
    if ((value === 0 && !(byte & 0x40)) || (value === -1 && byte & 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

export function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [...u32(bytes.length), ...bytes];
}

function vector(items: number[][]): number[] {
  return [...u32(items.length), ...items.flat()];
}

export function section(id: number, body: number[]): number[] {
  return [id, ...u32(body.length), ...body];
}

export function image(dataStart: number, dataEnd: number, id: number): number[] {
  const words = new Uint8Array(Uint32Array.of(0x31494c57, dataStart, dataEnd, 0).buffer);
  return section(0, [...name("linux.image"), ...words, id, ...new Array<number>(31).fill(0xa5)]);
}

export const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** A program module; what is left out is as a good program has it. */
export function build(spec: Spec): Uint8Array<ArrayBuffer> {
  const { types = [[[I32], []]], imports = [], memory = 1 } = spec;
  const globals = spec.globals ?? GLOBALS;
  const { functions = [["_start", 0, []]], data = [], id = 1 } = spec;
  const out = [...HEADER];
  const { dataStart, dataEnd } = spec.image || { dataStart: 65536, dataEnd: 65536 };
  if (spec.image !== false) out.push(...image(dataStart, dataEnd, id));
  const signatures = types.map(([params, results]) => [
    0x60,
    ...vector(params.map((p) => [p])),
    ...vector(results.map((r) => [r])),
  ]);
  out.push(...section(1, vector(signatures)));
  const imported = imports.map(([from, what, type]) => [
    ...name(from),
    ...name(what),
    0,
    ...u32(type),
  ]);
  if (memory !== false)
    imported.push([...name("env"), ...name("memory"), 2, 1, ...u32(memory), ...u32(65536)]);
  out.push(...section(2, vector(imported)));
  out.push(...section(3, vector(functions.map(([, type]) => u32(type)))));
  if (spec.table !== undefined) out.push(...section(4, vector([[0x70, 0, ...u32(spec.table)]])));
  const words = globals.map(([, value, constant]) => [
    I32,
    constant ? 0 : 1,
    0x41,
    ...s32(value),
    0x0b,
  ]);
  out.push(...section(6, vector(words)));
  const exported: number[][] = [];
  globals.forEach(([as], n) => as && exported.push([...name(as), 3, ...u32(n)]));
  functions.forEach(([as], n) => as && exported.push([...name(as), 0, ...u32(imports.length + n)]));
  out.push(...section(7, vector(exported)));
  if (spec.start !== undefined) out.push(...section(8, u32(spec.start)));
  const bodies = functions.map(([, , code, locals = 0]) => {
    const body = [...(locals ? [1, ...u32(locals), I32] : [0]), ...code, 0x0b];
    return [...u32(body.length), ...body];
  });
  out.push(...section(10, vector(bodies)));
  const segments = data.map(([at, bytes]) => [
    0,
    0x41,
    ...s32(at),
    0x0b,
    ...u32(bytes.length),
    ...bytes,
  ]);
  if (segments.length) out.push(...section(11, vector(segments)));
  return new Uint8Array(out);
}
