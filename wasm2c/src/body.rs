//! One function body to C.
//!
//! The operand stack holds [`Expr`]s that have not been written yet. A
//! statement first writes those that it would disturb to temporaries
//! ([`Body::settle`]); entering a block writes all of them, because what is
//! written inside may not run. Blocks are labels, `if` keeps its braces.
//! Unreachable code is not translated.

use std::fmt::Write as _;

use wasmparser::{AbstractHeapType, BlockType, FunctionBody, HeapType, Operator};

use crate::exceptions::Handlers;
use crate::expr::{Expr, Reads, Shape};
use crate::module::{Const, FuncType, Ty};
use crate::numeric;
use crate::parse::value_type;
use crate::plan::{opens_block, Plan};
use crate::Error;

/// Longer expressions are split: C compilers and readers both like it.
const MAX_TEXT: usize = 200;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Func,
    Block,
    Loop,
    If,
    Else,
    /// With handlers behind the body (legacy), or with branches to others.
    Try,
    TryTable,
}

pub(crate) struct Frame {
    pub kind: FrameKind,
    pub label: usize,
    /// Height of the stack below the block's parameters.
    pub height: usize,
    pub params: Vec<Ty>,
    pub results: Vec<Ty>,
    pub targeted: bool,
    /// Where in the text declarations of this block go.
    pub start: usize,
    /// `If`: the parameters, for the other arm. `Else`: unused.
    pub saved: Vec<Expr>,
    /// The `then` arm did not reach its end.
    pub then_dead: bool,
    pub handlers: Handlers,
}

pub(crate) struct Body<'p> {
    pub plan: &'p Plan<'p>,
    pub ty: &'p FuncType,
    pub out: String,
    /// What turned out to be needed at an earlier place of `out`: outer blocks,
    /// which begin first at a common place, add theirs last.
    pub insertions: Vec<(usize, String)>,
    pub indent: usize,
    pub stack: Vec<Expr>,
    pub frames: Vec<Frame>,
    pub locals: Vec<Ty>,
    /// Calls setjmp: the depth at entry is in `mark`.
    pub mark: bool,
    pub offset: u64,
    /// Where the text ends, and where the look at a pending exception began
    /// that is its end and returns.
    pub last_check: Option<(usize, usize)>,
    temps: usize,
    labels: usize,
}

/// The C function of `index`, complete.
pub fn function(plan: &Plan<'_>, index: u32, body: &FunctionBody<'_>) -> Result<String, Error> {
    let ty = plan.module.func_type(index);
    let mut b = Body {
        plan,
        ty,
        out: String::new(),
        insertions: Vec::new(),
        indent: 1,
        stack: Vec::new(),
        frames: Vec::new(),
        locals: ty.params.clone(),
        mark: plan.marks[index as usize],
        offset: body.range().start,
        last_check: None,
        temps: 0,
        labels: 0,
    };
    let declared = b.declare_locals(body)?;
    b.frames.push(Frame {
        kind: FrameKind::Func,
        label: 0,
        height: 0,
        params: Vec::new(),
        results: ty.results.clone(),
        targeted: false,
        start: 0,
        saved: Vec::new(),
        then_dead: false,
        handlers: Handlers::default(),
    });
    b.run(body)?;

    let mut text = format!("{}\n{{\n{declared}", crate::header::prototype(plan, index, true));
    if b.mark {
        let _ = writeln!(text, "\tu32 mark = {}->head.setjmp_depth;", plan.ctx());
    }
    if plan.cycle_heads[index as usize] {
        text.push_str("\tW2C_SAFEPOINT();\n");
    }
    text.push_str(&b.finish());
    text.push_str("}\n");
    Ok(text)
}

impl<'p> Body<'p> {
    fn declare_locals(&mut self, body: &FunctionBody<'_>) -> Result<String, Error> {
        let mut text = String::new();
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            let ty = value_type(self.offset, ty)?;
            let first = self.locals.len();
            self.locals.resize(first + count as usize, ty);
            for chunk in (first..self.locals.len()).collect::<Vec<_>>().chunks(12) {
                let names: Vec<String> =
                    chunk.iter().map(|i| format!("l{i} = {}", ty.zero())).collect();
                let _ = writeln!(text, "\t{} {};", ty.c(), names.join(", "));
            }
        }
        Ok(text)
    }

    fn run(&mut self, body: &FunctionBody<'_>) -> Result<(), Error> {
        // `Some(n)`: unreachable, n blocks deep within the current frame.
        let mut dead: Option<usize> = None;
        for op in body.get_operators_reader()?.into_iter_with_offsets() {
            let (op, offset) = op?;
            self.offset = offset;
            if self.frames.is_empty() {
                break;
            }
            if let Some(depth) = dead.as_mut() {
                match op {
                    Operator::End
                    | Operator::Else
                    | Operator::Catch { .. }
                    | Operator::CatchAll
                    | Operator::Delegate { .. }
                        if *depth == 0 => {}
                    Operator::End | Operator::Delegate { .. } => {
                        *depth -= 1;
                        continue;
                    }
                    ref op if opens_block(op) => {
                        *depth += 1;
                        continue;
                    }
                    _ => continue,
                }
            }
            let alive = self.op(&op, dead.is_none())?;
            dead = if alive { None } else { Some(0) };
        }
        Ok(())
    }

    /// The body with its insertions.
    fn finish(mut self) -> String {
        self.insertions.reverse();
        self.insertions.sort_by_key(|(at, _)| *at);
        let mut text = String::with_capacity(self.out.len() * 9 / 8);
        let mut done = 0;
        for (at, insertion) in &self.insertions {
            text.push_str(&self.out[done..*at]);
            text.push_str(insertion);
            done = *at;
        }
        text.push_str(&self.out[done..]);
        text
    }

    /// Translates one operator; false when what follows cannot be reached.
    fn op(&mut self, op: &Operator<'_>, alive: bool) -> Result<bool, Error> {
        match op {
            Operator::Nop => {}
            Operator::Unreachable => {
                self.settle(|r| r.traps);
                self.line("w2c_trap(W2C_TRAP_UNREACHABLE);");
                return Ok(false);
            }
            Operator::Block { blockty } => self.open(FrameKind::Block, *blockty)?,
            Operator::Loop { blockty } => self.open(FrameKind::Loop, *blockty)?,
            Operator::If { blockty } => self.open(FrameKind::If, *blockty)?,
            Operator::Else => self.otherwise(alive),
            Operator::Try { blockty } => self.legacy_try(*blockty)?,
            Operator::TryTable { try_table } => self.try_table(try_table)?,
            Operator::Catch { tag_index } => return Ok(self.catch(Some(*tag_index), alive)),
            Operator::CatchAll => return Ok(self.catch(None, alive)),
            Operator::Delegate { relative_depth } => {
                return Ok(self.delegate(*relative_depth, alive))
            }
            Operator::Throw { tag_index } => {
                self.throw(*tag_index);
                return Ok(false);
            }
            Operator::ThrowRef => {
                self.throw_ref();
                return Ok(false);
            }
            Operator::Rethrow { relative_depth } => {
                self.rethrow(*relative_depth);
                return Ok(false);
            }
            Operator::End => return Ok(self.close(alive)),
            Operator::Br { relative_depth } => {
                self.jump(*relative_depth);
                return Ok(false);
            }
            Operator::BrIf { relative_depth } => self.branch_if(*relative_depth),
            Operator::BrTable { targets } => {
                self.branch_table(targets)?;
                return Ok(false);
            }
            Operator::Return => {
                self.settle(|r| r.traps);
                self.leave_now();
                return Ok(false);
            }
            Operator::Call { function_index } => return Ok(self.call(*function_index)),
            Operator::CallIndirect { type_index, table_index } => {
                self.call_indirect(*type_index, *table_index)
            }
            Operator::Drop => {
                let e = self.pop();
                if e.reads.traps {
                    self.line(&format!("W2C_USED({});", e.operand()));
                }
            }
            Operator::Select | Operator::TypedSelect { .. } => self.select(),
            Operator::LocalGet { local_index } => {
                let ty = self.locals[*local_index as usize];
                self.push(Expr::local(ty, *local_index));
            }
            Operator::LocalSet { local_index } => self.local_set(*local_index),
            Operator::LocalTee { local_index } => {
                self.local_set(*local_index);
                let ty = self.locals[*local_index as usize];
                self.push(Expr::local(ty, *local_index));
            }
            Operator::GlobalGet { global_index } => self.global_get(*global_index),
            Operator::GlobalSet { global_index } => {
                let value = self.pop();
                self.settle(|r| r.globals || r.traps);
                let place = self.plan.globals[*global_index as usize].clone();
                self.line(&format!("{place} = {};", value.text));
            }
            Operator::I32Const { value } => self.push(Expr::i32(*value as u32)),
            Operator::I64Const { value } => self.push(Expr::i64(*value as u64)),
            Operator::F32Const { value } => self.push(Expr::f32(value.bits())),
            Operator::F64Const { value } => self.push(Expr::f64(value.bits())),
            Operator::RefNull { hty: HeapType::Abstract { ty: AbstractHeapType::Exn, .. } } => {
                self.push(Body::null_exn())
            }
            Operator::RefNull { .. } => self.push(Expr::atom(Ty::Extern, "(w2c_ref)0")),
            Operator::RefIsNull => {
                let e = self.pop();
                let tag = if e.ty == Ty::Exn { ".tag" } else { "" };
                let text = format!("{}{tag} == 0", e.operand());
                self.push(Expr::new(Ty::I32, Shape::Bool, text, e.reads));
            }
            Operator::RefFunc { function_index } => {
                let text = self.plan.func_ref(*function_index);
                self.push(Expr::new(Ty::Func, Shape::Compound, text, Reads::default()));
            }
            other => {
                if let Some(e) = numeric::apply(other, &mut self.stack) {
                    self.push(e);
                } else if !self.memory_op(other)? && !self.table_op(other)? {
                    return Err(Error::unsupported(
                        self.offset,
                        format!("the instruction {other:?} is"),
                    ));
                }
            }
        }
        Ok(true)
    }

    pub(crate) fn push(&mut self, e: Expr) {
        let long = e.text.len() > MAX_TEXT;
        self.stack.push(e);
        if long {
            self.settle_at(self.stack.len() - 1);
        }
    }

    pub(crate) fn pop(&mut self) -> Expr {
        // Validation keeps the stack deep enough.
        self.stack.pop().unwrap_or_else(|| Expr::i32(0))
    }

    pub(crate) fn pop_n(&mut self, n: usize) -> Vec<Expr> {
        let at = self.stack.len().saturating_sub(n);
        self.stack.split_off(at)
    }

    pub(crate) fn line(&mut self, text: &str) {
        for _ in 0..self.indent {
            self.out.push('\t');
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    pub(crate) fn lines(&mut self, lines: &[String]) {
        for l in lines {
            self.line(l);
        }
    }

    /// A C label, which stands out to the left.
    pub(crate) fn label(&mut self, kind: &str, label: usize) {
        self.indent -= 1;
        self.line(&format!("{kind}{label}:;"));
        self.indent += 1;
    }

    pub(crate) fn new_label(&mut self) -> usize {
        self.labels += 1;
        self.labels
    }

    /// Declares a temporary with this value.
    pub(crate) fn temp(&mut self, ty: Ty, value: &str) -> Expr {
        let name = format!("t{}", self.temps);
        self.temps += 1;
        self.line(&format!("{} {name} = {value};", ty.c()));
        Expr::atom(ty, name)
    }

    /// Writes the stack entries that `disturbed` says, oldest first.
    pub(crate) fn settle(&mut self, disturbed: impl Fn(&Reads) -> bool) {
        for i in 0..self.stack.len() {
            if disturbed(&self.stack[i].reads) {
                self.settle_at(i);
            }
        }
    }

    /// Before a statement that changes memory, or may change anything.
    pub(crate) fn settle_memory(&mut self) {
        self.settle(|r| r.memory || r.traps);
    }

    pub(crate) fn settle_all(&mut self) {
        self.settle(|r| !r.fixed());
    }

    /// Gives the top `n` entries values that no branch changes on its way.
    pub(crate) fn steady(&mut self, n: usize) {
        for i in self.stack.len() - n..self.stack.len() {
            let e = &self.stack[i];
            if e.value.is_none() && !e.text.starts_with(['t', 'b']) {
                self.settle_at(i);
            }
        }
    }

    fn settle_at(&mut self, i: usize) {
        let e = &self.stack[i];
        let (ty, text) = (e.ty, e.text.clone());
        self.stack[i] = self.temp(ty, &text);
    }

    fn select(&mut self) {
        let c = self.pop();
        // An arm that may trap is evaluated in either case.
        self.settle(|r| r.traps);
        let (b, a) = (self.pop(), self.pop());
        let reads = c.reads.clone().and(&a.reads).and(&b.reads);
        let text = format!("{} ? {} : {}", c.operand(), a.operand(), b.operand());
        self.push(Expr::new(a.ty, Shape::Compound, text, reads));
    }

    fn local_set(&mut self, index: u32) {
        let value = self.pop();
        self.settle(|r| r.locals.contains(&index));
        self.line(&format!("l{index} = {};", value.text));
    }

    fn global_get(&mut self, index: u32) {
        let g = &self.plan.module.globals[index as usize];
        match g.init {
            Some(Const::I32(v)) if !g.mutable => return self.push(Expr::i32(v)),
            Some(Const::I64(v)) if !g.mutable => return self.push(Expr::i64(v)),
            _ => {}
        }
        let reads = Reads { globals: g.mutable, ..Reads::default() };
        self.push(Expr::new(g.ty, Shape::Atom, self.plan.globals[index as usize].clone(), reads));
    }

    pub(crate) fn block_type(&self, ty: BlockType) -> Result<(Vec<Ty>, Vec<Ty>), Error> {
        Ok(match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(t) => (Vec::new(), vec![value_type(self.offset, t)?]),
            BlockType::FuncType(i) => {
                let ty = &self.plan.module.types[self.plan.module.type_map[i as usize]];
                (ty.params.clone(), ty.results.clone())
            }
        })
    }
}
