/**
 * What a trap of user code means to Linux. Engines tell traps apart by text
 * only; an unknown one is taken for an access fault, as is a stack that is full.
 */

const SIGILL = 4;
const SIGFPE = 8;
const SIGSEGV = 11;

const ILL_ILLOPC = 1;
const ILL_ILLOPN = 2;
const FPE_INTDIV = 1;
const FPE_INTOVF = 2;
const FPE_FLTINV = 7;
const SEGV_MAPERR = 1;

export interface Fault {
  sig: number;
  code: number;
}

/** Texts of V8, SpiderMonkey and JavaScriptCore. */
const KNOWN: [RegExp, Fault][] = [
  [/unreachable/i, { sig: SIGILL, code: ILL_ILLOPC }],
  [/by zero/i, { sig: SIGFPE, code: FPE_INTDIV }],
  [/divide result unrepresentable|division overflow/i, { sig: SIGFPE, code: FPE_INTOVF }],
  [
    /float unrepresentable|integer overflow|invalid conversion|out of bounds trunc/i,
    { sig: SIGFPE, code: FPE_FLTINV },
  ],
  // V8 says the first of both, and a null pointer is called more often.
  [
    /^(null function or )?function signature|call to null|table index|undefined element/i,
    { sig: SIGSEGV, code: SEGV_MAPERR },
  ],
  [/signature|type mismatch/i, { sig: SIGILL, code: ILL_ILLOPN }],
];

/** `foreign`: an exception of the program's own that nobody caught. */
export function faultOf(error: unknown, foreign = false): Fault {
  if (foreign) return { sig: SIGILL, code: ILL_ILLOPC };
  const text = error instanceof Error ? error.message : String(error);
  const known = KNOWN.find(([pattern]) => pattern.test(text));
  return known ? { ...known[1] } : { sig: SIGSEGV, code: SEGV_MAPERR };
}

/** Functions named in an error's stack, innermost first. */
export function functionsOf(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const names = [];
  for (const line of stack.split("\n")) {
    // V8: "at busybox.wasm.main (wasm://…)"; the others: "main@https://…:wasm-function[7]:0x…"
    const found = /^\s*at (\S+) \(wasm:/.exec(line) ?? /^([^@]*)@.*wasm-function\[/.exec(line);
    if (found?.[1]) names.push(found[1].replace(/^.*\.wasm\./, ""));
  }
  return names;
}
