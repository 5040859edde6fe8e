//! Expressions on the translator's stack: C text that has not been emitted
//! yet, with what it depends on.
//!
//! An expression is pure: evaluating it changes nothing. So it may be evaluated
//! late, up to the first statement that changes something it reads; [`Reads`]
//! says what that is.

use crate::module::Ty;

/// What an expression depends on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reads {
    pub locals: Vec<u32>,
    /// Linear memory or its size, or a table.
    pub memory: bool,
    pub globals: bool,
    /// It may trap, so no visible effect may overtake it.
    pub traps: bool,
}

impl Reads {
    pub fn and(mut self, other: &Reads) -> Reads {
        for l in &other.locals {
            if !self.locals.contains(l) {
                self.locals.push(*l);
            }
        }
        self.memory |= other.memory;
        self.globals |= other.globals;
        self.traps |= other.traps;
        self
    }

    /// Depends on nothing that a statement may change.
    pub fn fixed(&self) -> bool {
        self.locals.is_empty() && !self.memory && !self.globals && !self.traps
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Needs no parentheses anywhere.
    Atom,
    Compound,
    /// A C truth value: an `int`, which must not enter unsigned arithmetic bare.
    Bool,
}

#[derive(Debug, Clone)]
pub struct Expr {
    pub text: String,
    pub shape: Shape,
    pub ty: Ty,
    pub reads: Reads,
    /// The value of an integer constant.
    pub value: Option<u64>,
}

impl Expr {
    pub fn new(ty: Ty, shape: Shape, text: String, reads: Reads) -> Expr {
        Expr { text, shape, ty, reads, value: None }
    }

    pub fn atom(ty: Ty, text: impl Into<String>) -> Expr {
        Expr::new(ty, Shape::Atom, text.into(), Reads::default())
    }

    pub fn local(ty: Ty, index: u32) -> Expr {
        let reads = Reads { locals: vec![index], ..Reads::default() };
        Expr::new(ty, Shape::Atom, format!("l{index}"), reads)
    }

    pub fn i32(value: u32) -> Expr {
        let mut e = Expr::atom(Ty::I32, unsigned(value as u64, 32));
        e.value = Some(value as u64);
        e
    }

    pub fn i64(value: u64) -> Expr {
        let mut e = Expr::atom(Ty::I64, unsigned(value, 64));
        e.value = Some(value);
        e
    }

    /// Bits that are not finite keep their payload through an integer.
    pub fn f32(bits: u32) -> Expr {
        let value = f32::from_bits(bits);
        Expr::atom(
            Ty::F32,
            match value.is_finite() {
                true => float(value as f64, "f"),
                false => format!("f32_reinterpret_i32({bits:#x}u)"),
            },
        )
    }

    pub fn f64(bits: u64) -> Expr {
        let value = f64::from_bits(bits);
        Expr::atom(
            Ty::F64,
            match value.is_finite() {
                true => float(value, ""),
                false => format!("f64_reinterpret_i64({bits:#x}ull)"),
            },
        )
    }

    /// As an operand of unsigned or floating arithmetic.
    pub fn operand(&self) -> String {
        match self.shape {
            Shape::Atom => self.text.clone(),
            Shape::Compound => format!("({})", self.text),
            Shape::Bool => format!("(u32)({})", self.text),
        }
    }

    /// As an operand of signed arithmetic.
    pub fn signed(&self) -> String {
        let bits = if self.ty == Ty::I64 { 64 } else { 32 };
        match self.value {
            Some(v) if bits == 32 && v != 0x8000_0000 => format!("{}", v as u32 as i32),
            Some(v) if bits == 64 && v != 1 << 63 => format!("{}ll", v as i64),
            _ if self.shape == Shape::Bool => format!("({})", self.text),
            _ => format!("(s{bits}){}", self.operand()),
        }
    }

    /// As a condition: zero or not.
    pub fn condition(&self) -> &str {
        &self.text
    }
}

fn unsigned(value: u64, bits: u32) -> String {
    let suffix = if bits == 64 { "ull" } else { "u" };
    // Addresses and masks read better in hexadecimal.
    match value < 1 << 16 {
        true => format!("{value}{suffix}"),
        false => format!("{value:#x}{suffix}"),
    }
}

/// An exact hexadecimal float literal; in parentheses if negative.
fn float(value: f64, suffix: &str) -> String {
    let bits = value.abs().to_bits();
    let (exponent, fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
    let digits = match value.abs() {
        0.0 => "0.0".to_string(),
        v if v < 1e6 && v.fract() == 0.0 => format!("{v:.1}"),
        _ if exponent == 0 => format!("0x0.{fraction:013x}p-1022"),
        _ => format!("0x1.{fraction:013x}p{}", exponent - 1023),
    };
    match value.is_sign_negative() {
        true => format!("(-{digits}{suffix})"),
        false => format!("{digits}{suffix}"),
    }
}
