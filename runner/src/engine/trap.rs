//! Trap codes of generated code (`W2C_TRAP_*` in `w2c.h`) as signals, by what
//! the same mistake gives on a processor.

const SIGILL: u32 = 4;
const SIGBUS: u32 = 7;
const SIGFPE: u32 = 8;
const SIGSEGV: u32 = 11;
const ILL_ILLOPC: i32 = 1;
const ILL_ILLOPN: i32 = 2;
const BUS_ADRALN: i32 = 1;
const FPE_INTDIV: i32 = 1;
const FPE_INTOVF: i32 = 2;
const FPE_FLTINV: i32 = 7;
const SEGV_MAPERR: i32 = 1;

pub const UNREACHABLE: u32 = 1;
const MEMORY: u32 = 2;
const TABLE: u32 = 3;
const UNDEFINED: u32 = 4;
const NULL_FUNC: u32 = 5;
const SIGNATURE: u32 = 6;
const DIV_BY_ZERO: u32 = 7;
const INT_OVERFLOW: u32 = 8;
const BAD_CONVERSION: u32 = 9;
const UNALIGNED: u32 = 10;
const STACK: u32 = 12;

/// Signal number and si_code.
pub fn signal(code: u32) -> (u32, i32) {
    match code {
        MEMORY | TABLE | UNDEFINED | NULL_FUNC | STACK => (SIGSEGV, SEGV_MAPERR),
        DIV_BY_ZERO => (SIGFPE, FPE_INTDIV),
        INT_OVERFLOW => (SIGFPE, FPE_INTOVF),
        BAD_CONVERSION => (SIGFPE, FPE_FLTINV),
        SIGNATURE => (SIGILL, ILL_ILLOPN),
        UNALIGNED => (SIGBUS, BUS_ADRALN),
        _ => (SIGILL, ILL_ILLOPC),
    }
}
