/**
 * The kernel must not run out of stack in the middle of what it does, so a
 * system call begins with a function whose frame is as large as all that the
 * kernel may need. An engine checks for a frame's room when the function is
 * entered: if it is missing, the program has overflowed its stack, not the
 * kernel. That costs 3 ns.
 *
 * The frame is large because the function holds that many values over a call, in
 * a branch that is never taken. What keeps compilers from being cleverer: loads
 * keep their order, the sum is kept, and there is a call outside of the branch.
 *
 * The function returns before that branch. V8 takes a call for as much work as there
 * is code before the return, and would soon have found this one worth a quarter of a
 * second of its optimizing compiler, in the middle of the boot.
 */
import { concat, u32 } from "../bytes.ts";

/** What the deepest ways through the kernel need, with much to spare. */
const BYTES = 128 << 10;
/** A v128 takes this much of a frame. */
const VALUE = 16;

let made: WebAssembly.Module | undefined;

/** `headroom(0)`: overflows where the kernel's frames would not fit. */
export function headroom(memory: WebAssembly.Memory): WebAssembly.ExportValue {
  made ??= new WebAssembly.Module(build(BYTES / VALUE));
  const nothing = new WebAssembly.Instance(new WebAssembly.Module(NOTHING)).exports.f!;
  return new WebAssembly.Instance(made, { env: { memory, nothing } }).exports.f!;
}

const I32 = 0x7f;
const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const TYPE = [1, 5, 1, 0x60, 1, I32, 0];
const LOCAL = [0x20, 0];
const CALL = [0x10, 0];

/** `(func (export "f") (param i32))` */
const NOTHING = new Uint8Array([
  ...HEADER,
  ...TYPE,
  ...[3, 2, 1, 0],
  ...[7, 5, 1, 1, 0x66, 0, 0],
  ...[10, 4, 1, 2, 0, 0x0b],
]);

/**
 * ```wat
 * (func (export "f") (param i32)
 *   (call $nothing (local.get 0))
 *   (block (br_if 0 (local.get 0)) (return))
 *   (v128.load offset=0 (i32.const 0)) (v128.load offset=16 (i32.const 0)) …
 *   (call $nothing (local.get 0))
 *   v128.xor … v128.any_true (global.set $sum))
 * ```
 */
function build(values: number): Uint8Array<ArrayBuffer> {
  const begin = [0, ...LOCAL, ...CALL, 0x02, 0x40, ...LOCAL, 0x0d, 0, 0x0f, 0x0b];
  const end = [0xfd, 0x53, 0x24, 0, 0x0b];
  const load = [0x41, 0, 0xfd, 0x00, 0, 0x80, 0x80, 0];
  const loads = repeated(load, values);
  // Their offsets, in three bytes each.
  for (let n = 0, at = 0; n < values; n++, at += load.length) {
    loads[at + 5]! |= (n << 4) & 0x7f;
    loads[at + 6]! |= (n >> 3) & 0x7f;
    loads[at + 7]! = n >> 10;
  }
  const sum = repeated([0xfd, 0x51], values - 1);
  const code = concat([begin, loads, LOCAL, CALL, sum, end]);
  const size = u32(code.length);
  const memory = [3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, 1];
  const nothing = [3, 0x65, 0x6e, 0x76, 7, 0x6e, 0x6f, 0x74, 0x68, 0x69, 0x6e, 0x67, 0, 0];
  const head = [
    ...[...HEADER, ...TYPE],
    ...[2, 1 + memory.length + nothing.length, 2, ...memory, ...nothing],
    ...[3, 2, 1, 0],
    ...[6, 6, 1, I32, 1, 0x41, 0, 0x0b],
    ...[7, 5, 1, 1, 0x66, 0, 1],
    ...[10, ...u32(1 + size.length + code.length), 1, ...size],
  ];
  return concat([head, code]);
}

/** By doubling: a loop would take milliseconds of every boot. */
function repeated(what: readonly number[], times: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(what.length * times);
  bytes.set(what);
  for (let done = what.length; done < bytes.length; done *= 2) bytes.copyWithin(done, 0, done);
  return bytes;
}
