//! Blocks and branches.
//!
//! The values that a branch carries go through variables: `b<label>_<i>` for
//! the results of a block, `p<label>_<i>` for the parameters of a loop. They
//! are declared, and the label set, only if a branch really goes there.

use wasmparser::{BlockType, BrTable};

use crate::body::{Body, Frame, FrameKind};
use crate::exceptions::Handlers;
use crate::expr::Expr;
use crate::module::Ty;
use crate::Error;

impl Body<'_> {
    pub(crate) fn open(&mut self, kind: FrameKind, ty: BlockType) -> Result<(), Error> {
        let (params, results) = self.block_type(ty)?;
        let condition = (kind == FrameKind::If).then(|| self.pop());
        self.settle_all();
        self.last_check = None;
        let label = self.new_label();
        let height = self.stack.len() - params.len();
        let mut saved = Vec::new();
        if kind == FrameKind::Loop {
            let args = self.pop_n(params.len());
            for (i, (ty, arg)) in params.iter().zip(args).enumerate() {
                let name = format!("p{label}_{i}");
                self.line(&format!("{} {name} = {};", ty.c(), arg.text));
                self.stack.push(Expr::atom(*ty, name));
            }
        } else if kind == FrameKind::If {
            saved = self.stack[height..].to_vec();
        }
        let start = self.out.len();
        if let Some(c) = condition {
            self.line(&format!("if ({}) {{", c.condition()));
            self.indent += 1;
        }
        self.frames.push(Frame {
            kind,
            label,
            height,
            params,
            results,
            targeted: false,
            start,
            saved,
            then_dead: false,
            handlers: Handlers::default(),
        });
        Ok(())
    }

    pub(crate) fn otherwise(&mut self, alive: bool) {
        if alive {
            self.assign_results(self.frames.len() - 1);
        }
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        frame.kind = FrameKind::Else;
        frame.then_dead = !alive;
        self.stack.truncate(frame.height);
        self.stack.append(&mut frame.saved);
        self.indent -= 1;
        self.line("} else {");
        self.indent += 1;
    }

    /// `end`; false if nothing gets past it.
    pub(crate) fn close(&mut self, alive: bool) -> bool {
        let Some(kind) = self.frames.last().map(|f| f.kind) else {
            return false;
        };
        if kind == FrameKind::Func {
            if alive {
                self.leave_now();
            }
            self.frames.pop();
            return false;
        }
        let arms = matches!(kind, FrameKind::If | FrameKind::Else);
        let handlers = self.frames.last().is_some_and(|f| f.handlers.reached || f.handlers.begun);
        // A try that nothing throws out of is a block.
        let block = matches!(kind, FrameKind::Block | FrameKind::Try | FrameKind::TryTable);
        let joins = arms || handlers || block && self.frames.last().is_some_and(|f| f.targeted);
        let alive = if handlers { self.close_try(alive) } else { alive };
        if alive && joins && !handlers {
            self.assign_results(self.frames.len() - 1);
        }
        let Some(frame) = self.frames.pop() else {
            return false;
        };
        if arms {
            self.indent -= 1;
            if kind == FrameKind::If && !frame.results.is_empty() {
                // No other arm: the parameters are the results.
                self.line("} else {");
                for (i, e) in frame.saved.iter().enumerate() {
                    self.line(&format!("\tb{}_{i} = {};", frame.label, e.text));
                }
            }
            self.line("}");
        }
        if kind == FrameKind::Loop {
            if frame.targeted {
                let label = format!("{}L{}:;\n", "\t".repeat(self.indent - 1), frame.label);
                self.insertions.push((frame.start, label));
            }
            return alive;
        }
        if joins {
            self.declare(&frame);
            self.stack.truncate(frame.height);
            for (i, ty) in frame.results.iter().enumerate() {
                self.stack.push(Expr::atom(*ty, format!("b{}_{i}", frame.label)));
            }
        }
        if frame.targeted {
            self.label("L", frame.label);
        }
        match kind {
            FrameKind::If => true,
            FrameKind::Else => alive || !frame.then_dead || frame.targeted,
            _ => alive || frame.targeted,
        }
    }

    fn declare(&mut self, frame: &Frame) {
        let mut text = String::new();
        for (i, ty) in frame.results.iter().enumerate() {
            text += &format!("{}{} b{}_{i};\n", "\t".repeat(self.indent), ty.c(), frame.label);
        }
        self.insertions.push((frame.start, text));
    }

    /// Copies the top of the stack to the results of frame `index`.
    pub(crate) fn assign_results(&mut self, index: usize) {
        let (n, label) = (self.frames[index].results.len(), self.frames[index].label);
        let at = self.stack.len() - n;
        for i in 0..n {
            let text = format!("b{label}_{i} = {};", self.stack[at + i].text);
            self.line(&text);
        }
    }

    /// What a branch to the frame `depth` up does, from the values on top of
    /// the stack, which stay.
    fn branch(&mut self, depth: u32) -> Vec<String> {
        let index = self.frames.len() - 1 - depth as usize;
        if self.frames[index].kind == FrameKind::Func {
            return self.leave();
        }
        let frame = &mut self.frames[index];
        frame.targeted = true;
        let is_loop = frame.kind == FrameKind::Loop;
        let (letter, tys): (char, &[Ty]) =
            if is_loop { ('p', &frame.params) } else { ('b', &frame.results) };
        let (n, label) = (tys.len(), frame.label);
        let at = self.stack.len() - n;
        let mut lines: Vec<String> =
            (0..n).map(|i| format!("{letter}{label}_{i} = {};", self.stack[at + i].text)).collect();
        if is_loop && self.plan.options.safepoints {
            lines.push("W2C_SAFEPOINT();".into());
        }
        lines.push(format!("goto L{label};"));
        lines
    }

    /// Returns from the function with the values on top of the stack.
    pub(crate) fn leave(&mut self) -> Vec<String> {
        let n = self.ty.results.len();
        let at = self.stack.len() - n;
        let ctx = self.plan.ctx();
        let mut lines: Vec<String> = (1..n)
            .map(|i| {
                format!(
                    "{ctx}->mv[{i}].{} = {};",
                    self.ty.results[i].member(),
                    self.stack[at + i].text
                )
            })
            .collect();
        if self.mark {
            lines.push(format!("{ctx}->head.setjmp_depth = mark;"));
        }
        lines.push(match n {
            0 => "return;".into(),
            _ => format!("return {};", self.stack[at].text),
        });
        lines
    }

    /// The same as statements. A look at a pending exception just before would
    /// only return as well.
    pub(crate) fn leave_now(&mut self) {
        if let Some((start, end)) = self.last_check.take() {
            if end == self.out.len() {
                self.out.truncate(start);
            }
        }
        let lines = self.leave();
        self.lines(&lines);
    }

    pub(crate) fn jump(&mut self, depth: u32) {
        self.settle(|r| r.traps);
        let n = self.branch_arity(depth);
        if n > 1 {
            // A value may be computed from a loop parameter assigned first.
            self.steady(n);
        }
        let lines = self.branch(depth);
        self.lines(&lines);
    }

    pub(crate) fn branch_if(&mut self, depth: u32) {
        let c = self.pop();
        self.settle(|r| r.traps);
        // The values are used on both ways.
        self.steady(self.branch_arity(depth));
        let lines = self.branch(depth);
        match lines.as_slice() {
            [one] => self.line(&format!("if ({}) {one}", c.condition())),
            _ => {
                self.line(&format!("if ({}) {{", c.condition()));
                self.indent += 1;
                self.lines(&lines);
                self.indent -= 1;
                self.line("}");
            }
        }
    }

    fn branch_arity(&self, depth: u32) -> usize {
        let frame = &self.frames[self.frames.len() - 1 - depth as usize];
        if frame.kind == FrameKind::Loop {
            frame.params.len()
        } else {
            frame.results.len()
        }
    }

    pub(crate) fn branch_table(&mut self, targets: &BrTable<'_>) -> Result<(), Error> {
        let index = self.pop();
        self.settle(|r| r.traps);
        let default = targets.default();
        self.steady(self.branch_arity(default));
        let depths = targets.targets().collect::<Result<Vec<u32>, _>>()?;
        self.line(&format!("switch ({}) {{", index.operand()));
        // Runs of equal targets share their code; what goes to the default
        // needs no case.
        let mut i = 0;
        while i < depths.len() {
            let depth = depths[i];
            let mut cases = String::new();
            while i < depths.len() && depths[i] == depth {
                cases += &format!("case {i}: ");
                i += 1;
            }
            if depth != default {
                self.line(cases.trim_end());
                self.case(depth);
            }
        }
        self.line("default:");
        self.case(default);
        self.line("}");
        Ok(())
    }

    fn case(&mut self, depth: u32) {
        self.indent += 1;
        let lines = self.branch(depth);
        self.lines(&lines);
        self.indent -= 1;
    }
}
