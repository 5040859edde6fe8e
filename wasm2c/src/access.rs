//! Memory instructions: loads, stores, bulk operations, atomics.

use wasmparser::{MemArg, Operator};

use crate::body::Body;
use crate::expr::{Expr, Reads, Shape};
use crate::module::Ty;
use crate::Error;

/// C type, rmw width in the order of the lists below.
const WIDTHS: [(&str, Ty); 7] = [
    ("u32", Ty::I32),
    ("u8", Ty::I32),
    ("u16", Ty::I32),
    ("u64", Ty::I64),
    ("u8", Ty::I64),
    ("u16", Ty::I64),
    ("u32", Ty::I64),
];

/// `(position among the seven widths, memarg)` if `$op` is one of them.
macro_rules! widths {
    ($op:expr, $($v:ident)*) => {{
        let mut at = 0;
        let mut found = None;
        $(
            if let Operator::$v { memarg } = $op {
                found = Some((at, memarg));
            }
            at += 1;
        )*
        let _ = at;
        found
    }};
}

impl Body<'_> {
    /// False if `op` is not about memory.
    pub(crate) fn memory_op(&mut self, op: &Operator<'_>) -> Result<bool, Error> {
        if let Some((name, ty, memarg)) = load(op) {
            self.load(name, ty, memarg);
        } else if let Some((name, memarg)) = store(op) {
            let (value, addr) = (self.pop(), self.pop());
            self.settle_memory();
            self.line(&format!("{name}({}, {}, {});", addr.text, offset(memarg), value.text));
        } else {
            return Ok(self.bulk(op) || self.atomic(op)?);
        }
        Ok(true)
    }

    fn load(&mut self, name: &str, ty: Ty, memarg: &MemArg) {
        let addr = self.pop();
        let reads =
            addr.reads.clone().and(&Reads { memory: true, traps: true, ..Reads::default() });
        let text = format!("{name}({}, {})", addr.text, offset(memarg));
        self.push(Expr::new(ty, Shape::Atom, text, reads));
    }

    fn bulk(&mut self, op: &Operator<'_>) -> bool {
        match op {
            Operator::MemorySize { .. } => {
                let reads = Reads { memory: true, ..Reads::default() };
                self.push(Expr::new(Ty::I32, Shape::Atom, "W2C_PAGES".into(), reads));
            }
            Operator::MemoryGrow { .. } => {
                let pages = self.pop();
                self.settle_memory();
                let old = self.temp(Ty::I32, &format!("W2C_GROW({})", pages.text));
                self.push(old);
            }
            Operator::MemoryCopy { .. } => self.bulk_call("MEMORY_COPY(", ""),
            Operator::MemoryFill { .. } => self.bulk_call("MEMORY_FILL(", ""),
            Operator::MemoryInit { data_index: i, .. } => {
                let len = match self.plan.data_kept(*i) {
                    true => format!("{}->d{i}_len", self.plan.ctx()),
                    false => "0u".into(),
                };
                let tail = format!(", {}_d{i}, {len}", self.plan.name());
                self.bulk_call("MEMORY_INIT(", &tail);
            }
            Operator::DataDrop { data_index: i } => {
                self.settle(|r| r.traps);
                if self.plan.data_kept(*i) {
                    let text = format!("{}->d{i}_len = 0;", self.plan.ctx());
                    self.line(&text);
                }
            }
            _ => return false,
        }
        true
    }

    /// `<open>a, b, n<tail>);` with the three operands of a bulk instruction.
    pub(crate) fn bulk_call(&mut self, open: &str, tail: &str) {
        let (n, b, a) = (self.pop(), self.pop(), self.pop());
        self.settle_memory();
        self.line(&format!("{open}{}, {}, {}{tail});", a.text, b.text, n.text));
    }

    fn atomic(&mut self, op: &Operator<'_>) -> Result<bool, Error> {
        use Operator as O;
        if let O::AtomicFence = op {
            self.settle_memory();
            self.line("ATOMIC_FENCE();");
        } else if let Some((w, memarg)) = widths!(op, I32AtomicLoad I32AtomicLoad8U I32AtomicLoad16U I64AtomicLoad I64AtomicLoad8U I64AtomicLoad16U I64AtomicLoad32U)
        {
            self.atomic_access("LOAD", w, memarg, 0);
        } else if let Some((w, memarg)) = widths!(op, I32AtomicStore I32AtomicStore8 I32AtomicStore16 I64AtomicStore I64AtomicStore8 I64AtomicStore16 I64AtomicStore32)
        {
            let (value, addr) = (self.pop(), self.pop());
            self.settle_memory();
            let t = WIDTHS[w].0;
            self.line(&format!(
                "ATOMIC_STORE({t}, {}, {}, {});",
                addr.text,
                offset(memarg),
                value.operand()
            ));
        } else if let Some((name, w, memarg)) = rmw(op) {
            self.atomic_access(name, w, memarg, if name == "CMPXCHG" { 2 } else { 1 });
        } else {
            return self.wait(op);
        }
        Ok(true)
    }

    fn atomic_access(&mut self, name: &str, width: usize, memarg: &MemArg, operands: usize) {
        let values = self.pop_n(operands);
        let addr = self.pop();
        self.settle_memory();
        let (t, ty) = WIDTHS[width];
        let mut text = format!("ATOMIC_{name}({t}, {}, {}", addr.text, offset(memarg));
        for v in values {
            text += &format!(", {}", v.operand());
        }
        let result = self.temp(ty, &(text + ")"));
        self.push(result);
    }

    /// `wait` traps on unshared memory, where `notify` finds nobody.
    fn wait(&mut self, op: &Operator<'_>) -> Result<bool, Error> {
        let (name, memarg, operands) = match op {
            Operator::MemoryAtomicWait32 { memarg } => ("WAIT32", memarg, 2),
            Operator::MemoryAtomicWait64 { memarg } => ("WAIT64", memarg, 2),
            Operator::MemoryAtomicNotify { memarg } => ("NOTIFY", memarg, 1),
            _ => return Ok(false),
        };
        let values = self.pop_n(operands);
        let addr = self.pop();
        self.settle_all();
        let shared = self.plan.module.memory.as_ref().is_some_and(|m| m.shared);
        let kind = if shared { "SHARED" } else { "UNSHARED" };
        let mut text = format!("W2C_{kind}_{name}({}, {}", addr.text, offset(memarg));
        for v in values {
            text += &format!(", {}", v.operand());
        }
        let result = self.temp(Ty::I32, &(text + ")"));
        self.push(result);
        Ok(true)
    }
}

fn offset(memarg: &MemArg) -> String {
    format!("{}u", memarg.offset)
}

fn load<'o>(op: &'o Operator<'_>) -> Option<(&'static str, Ty, &'o MemArg)> {
    Some(match op {
        Operator::I32Load { memarg } => ("I32_LOAD", Ty::I32, memarg),
        Operator::I64Load { memarg } => ("I64_LOAD", Ty::I64, memarg),
        Operator::F32Load { memarg } => ("F32_LOAD", Ty::F32, memarg),
        Operator::F64Load { memarg } => ("F64_LOAD", Ty::F64, memarg),
        Operator::I32Load8S { memarg } => ("I32_LOAD8_S", Ty::I32, memarg),
        Operator::I32Load8U { memarg } => ("I32_LOAD8_U", Ty::I32, memarg),
        Operator::I32Load16S { memarg } => ("I32_LOAD16_S", Ty::I32, memarg),
        Operator::I32Load16U { memarg } => ("I32_LOAD16_U", Ty::I32, memarg),
        Operator::I64Load8S { memarg } => ("I64_LOAD8_S", Ty::I64, memarg),
        Operator::I64Load8U { memarg } => ("I64_LOAD8_U", Ty::I64, memarg),
        Operator::I64Load16S { memarg } => ("I64_LOAD16_S", Ty::I64, memarg),
        Operator::I64Load16U { memarg } => ("I64_LOAD16_U", Ty::I64, memarg),
        Operator::I64Load32S { memarg } => ("I64_LOAD32_S", Ty::I64, memarg),
        Operator::I64Load32U { memarg } => ("I64_LOAD32_U", Ty::I64, memarg),
        _ => return None,
    })
}

fn store<'o>(op: &'o Operator<'_>) -> Option<(&'static str, &'o MemArg)> {
    Some(match op {
        Operator::I32Store { memarg } => ("I32_STORE", memarg),
        Operator::I64Store { memarg } => ("I64_STORE", memarg),
        Operator::F32Store { memarg } => ("F32_STORE", memarg),
        Operator::F64Store { memarg } => ("F64_STORE", memarg),
        Operator::I32Store8 { memarg } => ("I32_STORE8", memarg),
        Operator::I32Store16 { memarg } => ("I32_STORE16", memarg),
        Operator::I64Store8 { memarg } => ("I64_STORE8", memarg),
        Operator::I64Store16 { memarg } => ("I64_STORE16", memarg),
        Operator::I64Store32 { memarg } => ("I64_STORE32", memarg),
        _ => return None,
    })
}

fn rmw<'o>(op: &'o Operator<'_>) -> Option<(&'static str, usize, &'o MemArg)> {
    macro_rules! rows {
        ($($name:literal: $($v:ident)*;)*) => {
            $(if let Some((w, memarg)) = widths!(op, $($v)*) {
                return Some(($name, w, memarg));
            })*
        };
    }
    rows! {
        "ADD": I32AtomicRmwAdd I32AtomicRmw8AddU I32AtomicRmw16AddU I64AtomicRmwAdd I64AtomicRmw8AddU I64AtomicRmw16AddU I64AtomicRmw32AddU;
        "SUB": I32AtomicRmwSub I32AtomicRmw8SubU I32AtomicRmw16SubU I64AtomicRmwSub I64AtomicRmw8SubU I64AtomicRmw16SubU I64AtomicRmw32SubU;
        "AND": I32AtomicRmwAnd I32AtomicRmw8AndU I32AtomicRmw16AndU I64AtomicRmwAnd I64AtomicRmw8AndU I64AtomicRmw16AndU I64AtomicRmw32AndU;
        "OR": I32AtomicRmwOr I32AtomicRmw8OrU I32AtomicRmw16OrU I64AtomicRmwOr I64AtomicRmw8OrU I64AtomicRmw16OrU I64AtomicRmw32OrU;
        "XOR": I32AtomicRmwXor I32AtomicRmw8XorU I32AtomicRmw16XorU I64AtomicRmwXor I64AtomicRmw8XorU I64AtomicRmw16XorU I64AtomicRmw32XorU;
        "XCHG": I32AtomicRmwXchg I32AtomicRmw8XchgU I32AtomicRmw16XchgU I64AtomicRmwXchg I64AtomicRmw8XchgU I64AtomicRmw16XchgU I64AtomicRmw32XchgU;
        "CMPXCHG": I32AtomicRmwCmpxchg I32AtomicRmw8CmpxchgU I32AtomicRmw16CmpxchgU I64AtomicRmwCmpxchg I64AtomicRmw8CmpxchgU I64AtomicRmw16CmpxchgU I64AtomicRmw32CmpxchgU;
    }
    None
}
