//! Numeric instructions as C expressions.

use wasmparser::Operator;

use crate::expr::{Expr, Reads, Shape};
use crate::module::Ty::{self, F32, F64, I32, I64};

/// How an instruction is written in C.
enum Form {
    /// `a + b` on unsigned or floating operands.
    Infix(&'static str),
    /// `a < b`, giving a truth value.
    Compare(&'static str),
    CompareSigned(&'static str),
    /// The count is taken modulo the width.
    Shift(&'static str),
    ShiftSigned,
    Eqz,
    Neg,
    /// `(to)(via)a`.
    Cast(&'static str),
    Call1(&'static str),
    Call2(&'static str),
    /// Division by a function that traps, or by the operator when the divisor
    /// is a harmless constant.
    Div(&'static str, &'static str),
    DivSigned(&'static str, &'static str),
}

/// What `op` computes from the top of `stack`, which it pops; `None` if it is
/// not a numeric instruction.
pub fn apply(op: &Operator<'_>, stack: &mut Vec<Expr>) -> Option<Expr> {
    let (ty, form, traps) = lookup(op)?;
    let unary = matches!(form, Form::Eqz | Form::Neg | Form::Cast(_) | Form::Call1(_));
    let b = if unary { None } else { stack.pop() };
    let a = stack.pop()?;
    let mut reads = a.reads.clone();
    if let Some(b) = &b {
        reads = reads.and(&b.reads);
    }
    reads.traps |= traps;
    Some(write(ty, form, &a, b.as_ref().unwrap_or(&a), reads))
}

fn write(ty: Ty, form: Form, a: &Expr, b: &Expr, mut reads: Reads) -> Expr {
    let bits = if a.ty == I64 { 64 } else { 32 };
    let (shape, text) = match form {
        Form::Infix(op) => match (op, b.value.map(|v| negated(v, bits))) {
            // Compilers leave these behind to say "the value of".
            ("+" | "-" | "|" | "^", Some(0)) => return a.clone(),
            ("+", Some(v)) if v < 1 << 16 => (Shape::Compound, format!("{} - {v}u", a.operand())),
            _ => (Shape::Compound, format!("{} {op} {}", a.operand(), b.operand())),
        },
        Form::Compare(op) => (Shape::Bool, format!("{} {op} {}", a.operand(), b.operand())),
        Form::CompareSigned(op) => (Shape::Bool, format!("{} {op} {}", a.signed(), b.signed())),
        Form::Shift(op) => (Shape::Compound, format!("{} {op} {}", a.operand(), count(b, bits))),
        Form::ShiftSigned => {
            (Shape::Compound, format!("(u{bits})((s{bits}){} >> {})", a.operand(), count(b, bits)))
        }
        Form::Eqz => (Shape::Bool, format!("!{}", parens(a))),
        Form::Neg => (Shape::Compound, format!("-{}", a.operand())),
        Form::Cast(cast) => (Shape::Compound, format!("{cast}{}", a.operand())),
        Form::Call1(f) => (Shape::Atom, format!("{f}({})", a.text)),
        Form::Call2(f) => (Shape::Atom, format!("{f}({}, {})", a.text, b.text)),
        Form::Div(op, f) => match b.value {
            Some(v) if v != 0 => {
                reads.traps = a.reads.traps;
                (Shape::Compound, format!("{} {op} {}", a.operand(), b.operand()))
            }
            _ => (Shape::Atom, format!("{f}({}, {})", a.text, b.text)),
        },
        Form::DivSigned(op, f) => match b.value {
            // Neither 0 nor -1: INT_MIN / -1 overflows.
            Some(v) if v != 0 && negated(v, bits) != 1 => {
                reads.traps = a.reads.traps;
                let text = format!("(u{bits})((s{bits}){} {op} {})", a.operand(), b.signed());
                (Shape::Compound, text)
            }
            _ => (Shape::Atom, format!("{f}({}, {})", a.text, b.text)),
        },
    };
    Expr::new(ty, shape, text, reads)
}

fn negated(value: u64, bits: u32) -> u64 {
    if bits == 64 {
        value.wrapping_neg()
    } else {
        (value as u32).wrapping_neg() as u64
    }
}

fn parens(e: &Expr) -> String {
    if e.shape == Shape::Atom {
        e.text.clone()
    } else {
        format!("({})", e.text)
    }
}

fn count(e: &Expr, bits: u32) -> String {
    match e.value {
        Some(v) => (v & (bits as u64 - 1)).to_string(),
        None => format!("({} & {})", e.operand(), bits - 1),
    }
}

fn lookup(op: &Operator<'_>) -> Option<(Ty, Form, bool)> {
    use Form::*;
    use Operator as O;
    let traps = true;
    let pure = false;
    Some(match op {
        O::I32Eqz | O::I64Eqz => (I32, Eqz, pure),
        O::I32Eq | O::I64Eq | O::F32Eq | O::F64Eq => (I32, Compare("=="), pure),
        O::I32Ne | O::I64Ne | O::F32Ne | O::F64Ne => (I32, Compare("!="), pure),
        O::I32LtU | O::I64LtU | O::F32Lt | O::F64Lt => (I32, Compare("<"), pure),
        O::I32GtU | O::I64GtU | O::F32Gt | O::F64Gt => (I32, Compare(">"), pure),
        O::I32LeU | O::I64LeU | O::F32Le | O::F64Le => (I32, Compare("<="), pure),
        O::I32GeU | O::I64GeU | O::F32Ge | O::F64Ge => (I32, Compare(">="), pure),
        O::I32LtS | O::I64LtS => (I32, CompareSigned("<"), pure),
        O::I32GtS | O::I64GtS => (I32, CompareSigned(">"), pure),
        O::I32LeS | O::I64LeS => (I32, CompareSigned("<="), pure),
        O::I32GeS | O::I64GeS => (I32, CompareSigned(">="), pure),

        O::I32Add => (I32, Infix("+"), pure),
        O::I32Sub => (I32, Infix("-"), pure),
        O::I32Mul => (I32, Infix("*"), pure),
        O::I32And => (I32, Infix("&"), pure),
        O::I32Or => (I32, Infix("|"), pure),
        O::I32Xor => (I32, Infix("^"), pure),
        O::I32Shl => (I32, Shift("<<"), pure),
        O::I32ShrU => (I32, Shift(">>"), pure),
        O::I32ShrS => (I32, ShiftSigned, pure),
        O::I32Rotl => (I32, Call2("i32_rotl"), pure),
        O::I32Rotr => (I32, Call2("i32_rotr"), pure),
        O::I32DivS => (I32, DivSigned("/", "i32_div_s"), traps),
        O::I32DivU => (I32, Div("/", "i32_div_u"), traps),
        O::I32RemS => (I32, DivSigned("%", "i32_rem_s"), traps),
        O::I32RemU => (I32, Div("%", "i32_rem_u"), traps),
        O::I32Clz => (I32, Call1("i32_clz"), pure),
        O::I32Ctz => (I32, Call1("i32_ctz"), pure),
        O::I32Popcnt => (I32, Call1("i32_popcnt"), pure),
        O::I64Add => (I64, Infix("+"), pure),
        O::I64Sub => (I64, Infix("-"), pure),
        O::I64Mul => (I64, Infix("*"), pure),
        O::I64And => (I64, Infix("&"), pure),
        O::I64Or => (I64, Infix("|"), pure),
        O::I64Xor => (I64, Infix("^"), pure),
        O::I64Shl => (I64, Shift("<<"), pure),
        O::I64ShrU => (I64, Shift(">>"), pure),
        O::I64ShrS => (I64, ShiftSigned, pure),
        O::I64Rotl => (I64, Call2("i64_rotl"), pure),
        O::I64Rotr => (I64, Call2("i64_rotr"), pure),
        O::I64DivS => (I64, DivSigned("/", "i64_div_s"), traps),
        O::I64DivU => (I64, Div("/", "i64_div_u"), traps),
        O::I64RemS => (I64, DivSigned("%", "i64_rem_s"), traps),
        O::I64RemU => (I64, Div("%", "i64_rem_u"), traps),
        O::I64Clz => (I64, Call1("i64_clz"), pure),
        O::I64Ctz => (I64, Call1("i64_ctz"), pure),
        O::I64Popcnt => (I64, Call1("i64_popcnt"), pure),

        O::F32Add => (F32, Infix("+"), pure),
        O::F32Sub => (F32, Infix("-"), pure),
        O::F32Mul => (F32, Infix("*"), pure),
        O::F32Div => (F32, Infix("/"), pure),
        O::F64Add => (F64, Infix("+"), pure),
        O::F64Sub => (F64, Infix("-"), pure),
        O::F64Mul => (F64, Infix("*"), pure),
        O::F64Div => (F64, Infix("/"), pure),
        O::F32Neg => (F32, Neg, pure),
        O::F64Neg => (F64, Neg, pure),
        O::F32Abs => (F32, Call1("f32_abs"), pure),
        O::F32Ceil => (F32, Call1("f32_ceil"), pure),
        O::F32Floor => (F32, Call1("f32_floor"), pure),
        O::F32Trunc => (F32, Call1("f32_trunc"), pure),
        O::F32Nearest => (F32, Call1("f32_nearest"), pure),
        O::F32Sqrt => (F32, Call1("f32_sqrt"), pure),
        O::F32Min => (F32, Call2("f32_min"), pure),
        O::F32Max => (F32, Call2("f32_max"), pure),
        O::F32Copysign => (F32, Call2("f32_copysign"), pure),
        O::F64Abs => (F64, Call1("f64_abs"), pure),
        O::F64Ceil => (F64, Call1("f64_ceil"), pure),
        O::F64Floor => (F64, Call1("f64_floor"), pure),
        O::F64Trunc => (F64, Call1("f64_trunc"), pure),
        O::F64Nearest => (F64, Call1("f64_nearest"), pure),
        O::F64Sqrt => (F64, Call1("f64_sqrt"), pure),
        O::F64Min => (F64, Call2("f64_min"), pure),
        O::F64Max => (F64, Call2("f64_max"), pure),
        O::F64Copysign => (F64, Call2("f64_copysign"), pure),

        O::I32WrapI64 => (I32, Cast("(u32)"), pure),
        O::I64ExtendI32S => (I64, Cast("(u64)(s64)(s32)"), pure),
        O::I64ExtendI32U => (I64, Cast("(u64)"), pure),
        O::I32Extend8S => (I32, Cast("(u32)(s32)(s8)"), pure),
        O::I32Extend16S => (I32, Cast("(u32)(s32)(s16)"), pure),
        O::I64Extend8S => (I64, Cast("(u64)(s64)(s8)"), pure),
        O::I64Extend16S => (I64, Cast("(u64)(s64)(s16)"), pure),
        O::I64Extend32S => (I64, Cast("(u64)(s64)(s32)"), pure),
        O::F32ConvertI32S => (F32, Cast("(f32)(s32)"), pure),
        O::F32DemoteF64 => (F32, Call1("f32_demote_f64"), pure),
        O::F64PromoteF32 => (F64, Call1("f64_promote_f32"), pure),
        O::F32ConvertI32U | O::F32ConvertI64U => (F32, Cast("(f32)"), pure),
        O::F32ConvertI64S => (F32, Cast("(f32)(s64)"), pure),
        O::F64ConvertI32S => (F64, Cast("(f64)(s32)"), pure),
        O::F64ConvertI32U | O::F64ConvertI64U => (F64, Cast("(f64)"), pure),
        O::F64ConvertI64S => (F64, Cast("(f64)(s64)"), pure),
        O::I32ReinterpretF32 => (I32, Call1("i32_reinterpret_f32"), pure),
        O::I64ReinterpretF64 => (I64, Call1("i64_reinterpret_f64"), pure),
        O::F32ReinterpretI32 => (F32, Call1("f32_reinterpret_i32"), pure),
        O::F64ReinterpretI64 => (F64, Call1("f64_reinterpret_i64"), pure),

        O::I32TruncF32S => (I32, Call1("i32_trunc_f32_s"), traps),
        O::I32TruncF32U => (I32, Call1("i32_trunc_f32_u"), traps),
        O::I32TruncF64S => (I32, Call1("i32_trunc_f64_s"), traps),
        O::I32TruncF64U => (I32, Call1("i32_trunc_f64_u"), traps),
        O::I64TruncF32S => (I64, Call1("i64_trunc_f32_s"), traps),
        O::I64TruncF32U => (I64, Call1("i64_trunc_f32_u"), traps),
        O::I64TruncF64S => (I64, Call1("i64_trunc_f64_s"), traps),
        O::I64TruncF64U => (I64, Call1("i64_trunc_f64_u"), traps),
        O::I32TruncSatF32S => (I32, Call1("i32_trunc_f32_s_sat"), pure),
        O::I32TruncSatF32U => (I32, Call1("i32_trunc_f32_u_sat"), pure),
        O::I32TruncSatF64S => (I32, Call1("i32_trunc_f64_s_sat"), pure),
        O::I32TruncSatF64U => (I32, Call1("i32_trunc_f64_u_sat"), pure),
        O::I64TruncSatF32S => (I64, Call1("i64_trunc_f32_s_sat"), pure),
        O::I64TruncSatF32U => (I64, Call1("i64_trunc_f32_u_sat"), pure),
        O::I64TruncSatF64S => (I64, Call1("i64_trunc_f64_s_sat"), pure),
        O::I64TruncSatF64U => (I64, Call1("i64_trunc_f64_u_sat"), pure),
        _ => return None,
    })
}
