/**
 * What a trap of user code means to Linux. Engines tell traps apart by text
 * only; an unknown one is taken for an access fault.
 */

const SIGILL = 4;
const SIGFPE = 8;
const SIGSEGV = 11;

const ILL_ILLOPN = 2;
const FPE_INTDIV = 1;
const FPE_INTOVF = 2;
const FPE_FLTINV = 7;
const SEGV_MAPERR = 1;

export interface Fault {
  sig: number;
  code: number;
}

const KNOWN: [RegExp, Fault][] = [
  [/unreachable/, { sig: SIGILL, code: ILL_ILLOPN }],
  [/divide by zero|division by zero|remainder by zero/, { sig: SIGFPE, code: FPE_INTDIV }],
  [/divide result unrepresentable|integer overflow/, { sig: SIGFPE, code: FPE_INTOVF }],
  [/float unrepresentable|out of bounds Trunc/i, { sig: SIGFPE, code: FPE_FLTINV }],
  [/table index|null function|signature mismatch|indirect call/, { sig: SIGILL, code: ILL_ILLOPN }],
];

export function faultOf(error: unknown): Fault {
  const text = error instanceof Error ? error.message : String(error);
  const known = KNOWN.find(([pattern]) => pattern.test(text));
  return known ? known[1] : { sig: SIGSEGV, code: SEGV_MAPERR };
}
