//! Exceptions in C: a pending exception is a word in the context, the values
//! beside it. Who throws sets it and goes to the handler, or returns; after a
//! call that may have thrown the caller looks at it and does the same.
//!
//! ```text
//!     t0 = f(l0);
//!     if (W2C_UNLIKELY(CTX->exn)) goto C3;      within a try
//!     if (W2C_UNLIKELY(CTX->exn)) return 0;     else
//! C3:;
//!     if (CTX->exn == TAG) { CTX->exn = 0; ... } else goto C1;
//! ```
//!
//! Handlers read tag and values at once, before a poll or another call, so
//! nothing is pending whenever the engine or a signal handler runs. No frame
//! holds more than the values: a fork in a try block copies it like any other.

use wasmparser::{BlockType, Catch, TryTable};

use crate::body::{Body, Frame, FrameKind};
use crate::expr::{Expr, Reads, Shape};
use crate::module::Ty;
use crate::Error;

/// A `try` on the translator's stack of blocks.
#[derive(Default)]
pub(crate) struct Handlers {
    /// Something in the body throws to here.
    pub reached: bool,
    /// Behind the first `catch`.
    pub begun: bool,
    /// An arm has reached its end.
    pub joined: bool,
    /// There was a `catch_all`.
    pub all: bool,
    /// `try_table`: the clauses.
    pub clauses: Vec<Catch>,
    /// The exception that the present `catch` has, for `rethrow`.
    caught: Option<Caught>,
}

#[derive(Clone)]
enum Caught {
    /// Known tag, values in temporaries.
    One(u32, Vec<Expr>),
    /// In variables `e<label>`, `e<label>_<i>`, declared at this place of the
    /// text if a `rethrow` wants them.
    Any(usize),
}

impl Body<'_> {
    /// The pending exception's tag, a C lvalue.
    fn pending(&self) -> String {
        self.plan.pending("exn")
    }

    /// One of its values.
    fn pending_value(&self, i: usize, ty: Ty) -> String {
        self.plan.pending(&format!("exn_v[{i}].{}", ty.member()))
    }

    /// After a call of what may throw.
    pub(crate) fn check_pending(&mut self) {
        let start = self.out.len();
        let (lines, leaves) = self.unwind(self.frames.len());
        let condition = format!("if (W2C_UNLIKELY({}))", self.pending());
        match lines.as_slice() {
            [one] => self.line(&format!("{condition} {one}")),
            _ => {
                self.line(&format!("{condition} {{"));
                self.indent += 1;
                self.lines(&lines);
                self.indent -= 1;
                self.line("}");
            }
        }
        if leaves {
            self.last_check = Some((start, self.out.len()));
        }
    }

    /// Where a thrown exception goes from within the outermost `depth` blocks:
    /// to a handler, or (true) out of the function.
    fn unwind(&mut self, depth: usize) -> (Vec<String>, bool) {
        let mut around = self.frames[..depth].iter_mut().rev();
        if let Some(frame) = around.find(|f| f.catches()) {
            frame.handlers.reached = true;
            return (vec![format!("goto C{};", frame.label)], false);
        }
        let mut lines = Vec::new();
        if self.mark {
            lines.push(format!("{}->head.setjmp_depth = mark;", self.plan.ctx()));
        }
        lines.push(match self.ty.results.first() {
            None => "return;".into(),
            Some(Ty::Exn) => "return (struct w2c_exn){ 0 };".into(),
            Some(_) => "return 0;".into(),
        });
        (lines, true)
    }

    /// Writes the unwinding as statements of their own.
    fn raise(&mut self, depth: usize) {
        let (lines, _) = self.unwind(depth);
        self.lines(&lines);
    }

    pub(crate) fn throw(&mut self, tag: u32) {
        let tys = &self.plan.module.tags[tag as usize].params;
        let values = self.pop_n(tys.len());
        self.settle(|r| r.traps);
        for (i, (ty, value)) in tys.iter().zip(values).enumerate() {
            let place = self.pending_value(i, *ty);
            self.line(&format!("{place} = {};", value.text));
        }
        let text = format!("{} = {};", self.pending(), self.plan.tag(tag));
        self.line(&text);
        self.raise(self.frames.len());
    }

    pub(crate) fn throw_ref(&mut self) {
        let e = self.pop();
        self.settle(|r| r.traps);
        let e = self.temp(Ty::Exn, &e.text);
        self.line(&format!("if (!{}.tag) w2c_trap(W2C_TRAP_NULL_EXN);", e.text));
        let (value, tag) = (self.pending_value(0, Ty::I64), self.pending());
        self.line(&format!("{value} = {}.value;", e.text));
        self.line(&format!("{tag} = {}.tag;", e.text));
        self.raise(self.frames.len());
    }

    pub(crate) fn rethrow(&mut self, depth: u32) {
        self.settle(|r| r.traps);
        let frame = &self.frames[self.frames.len() - 1 - depth as usize];
        let (label, caught) = (frame.label, frame.handlers.caught.clone());
        match caught {
            Some(Caught::One(tag, values)) => {
                for (i, value) in values.iter().enumerate() {
                    let place = self.pending_value(i, value.ty);
                    self.line(&format!("{place} = {};", value.text));
                }
                let text = format!("{} = {};", self.pending(), self.plan.tag(tag));
                self.line(&text);
            }
            Some(Caught::Any(at)) => {
                let tabs = "\t".repeat(self.indent);
                let mut text = format!("{tabs}w2c_ref e{label} = {};\n", self.pending());
                for i in 0..self.plan.exn_values {
                    let value = self.pending_value(i, Ty::I64);
                    text += &format!("{tabs}u64 e{label}_{i} = {value};\n");
                    self.line(&format!("{value} = e{label}_{i};"));
                }
                // Several rethrows of one exception share its variables.
                if !self.insertions.iter().any(|(place, _)| *place == at) {
                    self.insertions.push((at, text));
                }
                let text = format!("{} = e{label};", self.pending());
                self.line(&text);
            }
            // Validation lets `rethrow` name nothing but a handler.
            None => {}
        }
        self.raise(self.frames.len());
    }

    pub(crate) fn try_table(&mut self, table: &TryTable) -> Result<(), Error> {
        // Without clauses it is a block.
        let kind = if table.catches.is_empty() { FrameKind::Block } else { FrameKind::TryTable };
        self.open(kind, table.ty)?;
        if let Some(frame) = self.frames.last_mut() {
            frame.handlers.clauses = table.catches.clone();
        }
        Ok(())
    }

    pub(crate) fn legacy_try(&mut self, ty: BlockType) -> Result<(), Error> {
        self.open(FrameKind::Try, ty)
    }

    /// `catch` or (without a tag) `catch_all`; false if no exception gets here.
    pub(crate) fn catch(&mut self, tag: Option<u32>, alive: bool) -> bool {
        self.end_arm(alive);
        let pending = self.pending();
        let Some(frame) = self.frames.last_mut() else { return false };
        let label = frame.label;
        self.stack.truncate(frame.height);
        let first = !std::mem::replace(&mut frame.handlers.begun, true);
        frame.handlers.caught = None;
        if !frame.handlers.reached || frame.handlers.all {
            return false;
        }
        frame.handlers.all = tag.is_none();
        if first {
            self.label("C", label);
        } else {
            self.indent -= 1;
        }
        let otherwise = if first { "" } else { "} else " };
        match tag {
            Some(tag) => {
                let tag = self.plan.tag(tag);
                self.line(&format!("{otherwise}if ({pending} == {tag}) {{"));
            }
            None => self.line(&format!("{otherwise}{{")),
        }
        self.indent += 1;
        let caught = self.take(tag);
        if let Caught::One(_, values) = &caught {
            self.stack.extend(values.iter().cloned());
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.handlers.caught = Some(caught);
        }
        true
    }

    /// Takes the pending exception; what its tag carries becomes temporaries.
    fn take(&mut self, tag: Option<u32>) -> Caught {
        let at = self.out.len();
        let caught = match tag {
            Some(tag) => {
                let tys = &self.plan.module.tags[tag as usize].params;
                let values = tys.iter().enumerate().map(|(i, ty)| {
                    let value = self.pending_value(i, *ty);
                    self.temp(*ty, &value)
                });
                Caught::One(tag, values.collect())
            }
            None => Caught::Any(at),
        };
        let text = format!("{} = 0;", self.pending());
        self.line(&text);
        caught
    }

    /// The end of a `try` body or of a handler: over the other handlers.
    fn end_arm(&mut self, alive: bool) {
        let index = self.frames.len() - 1;
        if !alive {
            return;
        }
        self.assign_results(index);
        let frame = &mut self.frames[index];
        frame.handlers.joined = true;
        if !frame.handlers.begun {
            frame.targeted = true;
            let label = frame.label;
            self.line(&format!("goto L{label};"));
        }
    }

    /// `end` of a `try` whose body something throws out of, or that has had
    /// handlers; what is left for [`Body::close`] is the label.
    pub(crate) fn close_try(&mut self, alive: bool) -> bool {
        self.end_arm(alive);
        let index = self.frames.len() - 1;
        let frame = &self.frames[index];
        let (begun, reached) = (frame.handlers.begun, frame.handlers.reached);
        if reached && begun {
            self.indent -= 1;
            match frame.handlers.all {
                true => self.line("}"),
                false => {
                    self.line("} else {");
                    self.indent += 1;
                    self.raise(index);
                    self.indent -= 1;
                    self.line("}");
                }
            }
        } else if reached {
            let label = frame.label;
            self.label("C", label);
            self.clauses(index);
        }
        self.frames[index].handlers.joined
    }

    /// The handlers of a `try_table`; of a `try` without any, only the way out.
    fn clauses(&mut self, index: usize) {
        let clauses = std::mem::take(&mut self.frames[index].handlers.clauses);
        self.stack.truncate(self.frames[index].height);
        // Labels are counted without the block itself.
        let kept = self.stack.len();
        for clause in clauses {
            let (tag, label, by_ref) = match clause {
                Catch::One { tag, label } => (Some(tag), label, false),
                Catch::OneRef { tag, label } => (Some(tag), label, true),
                Catch::All { label } => (None, label, false),
                Catch::AllRef { label } => (None, label, true),
            };
            let pending = self.pending();
            match tag {
                Some(tag) => self.line(&format!("if ({pending} == {}) {{", self.plan.tag(tag))),
                None => self.line("{"),
            }
            self.indent += 1;
            if by_ref && !self.plan.closed() {
                // Another module's may have more values than a reference keeps.
                self.line(&format!("w2c_one_value({pending});"));
            }
            let reference = by_ref.then(|| {
                let value = self.pending_value(0, Ty::I64);
                let text = format!("(struct w2c_exn){{ {pending}, {value} }}");
                self.temp(Ty::Exn, &text)
            });
            if let Caught::One(_, values) = self.take(tag) {
                self.stack.extend(values);
            }
            self.stack.extend(reference);
            // One more than `label` counts, as this block is still there.
            self.jump(label + 1);
            self.stack.truncate(kept);
            self.indent -= 1;
            self.line("}");
            if tag.is_none() {
                return;
            }
        }
        self.raise(index);
    }

    /// `delegate`: what the body throws is thrown there, `depth` blocks around
    /// this one. False if nothing gets past.
    pub(crate) fn delegate(&mut self, depth: u32, alive: bool) -> bool {
        let index = self.frames.len() - 1;
        if self.frames[index].handlers.reached {
            self.end_arm(alive);
            let label = self.frames[index].label;
            self.label("C", label);
            self.raise(index - depth as usize);
            self.frames[index].handlers.reached = false;
            // The label has come; it is a block from now on.
            self.frames[index].kind = FrameKind::Block;
            return self.close(false);
        }
        self.frames[index].kind = FrameKind::Block;
        self.close(alive)
    }

    /// `ref.null exn` and friends.
    pub(crate) fn null_exn() -> Expr {
        Expr::new(Ty::Exn, Shape::Atom, "(struct w2c_exn){ 0 }".into(), Reads::default())
    }
}

impl Frame {
    /// An exception thrown in it, as it stands, comes to its handlers.
    fn catches(&self) -> bool {
        matches!(self.kind, FrameKind::Try | FrameKind::TryTable) && !self.handlers.begun
    }
}
