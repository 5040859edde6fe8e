//! Safepoints: a program gives the engine its turn, however busy it is.
//!
//! ```text
//!  loop that calls          global budget -= 1 in each round
//!  loop that does not       a local counter; each `LEAF` rounds cost the budget 1
//!  function on a cycle      global budget -= 1 at each entry
//!  longjmp                  global budget -= 1: the loop it makes is nowhere else
//!  budget used up           budget = linux.poll()
//! ```
//!
//! A counter in memory costs a tight loop four cycles a round, since each round
//! waits for the last one's store; a register costs nothing that can be
//! measured. A loop that calls pays for the call anyway, and must not begin its
//! callee's counter anew for nothing: so it always charges the budget.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Encode, Function, InstructionSink, ValType};
use wasmparser::ValType::I32;
use wasmparser::{FuncType, Operator};

use crate::graph::Graph;
use crate::lower::body;
use crate::module::Module;
use crate::output::{NewImport, Output};
use crate::{relabel, Error};

pub const BUDGET: &str = "__linux_budget";
const POLL: &str = "poll";
const LONGJMP: &str = "longjmp";

/// Rounds of a loop without calls that cost as much as one with calls.
const LEAF: i32 = 256;

/// What the budget is until the engine's first answer: some 100 µs.
const FIRST_BUDGET: i64 = 10_000;

/// The functions that the checks call.
struct Slow {
    budget: u32,
    poll: u32,
    leaf: u32,
    /// The import, in the old module.
    longjmp: Option<u32>,
}

impl Slow {
    fn is_longjmp(&self, op: &Operator) -> bool {
        matches!(op, Operator::Call { function_index } if Some(*function_index) == self.longjmp)
    }
}

/// Adds safepoints to a module.
pub fn add(module: &Module) -> Result<Vec<u8>, Error> {
    let import =
        NewImport::Function { name: POLL, params: Vec::new(), results: vec![ValType::I32] };
    let mut out = Output::new(module, &[import], &[])?;
    let longjmp = module.imported(LONGJMP, &FuncType::new([I32, I32], []))?;
    let slow = slow(&mut out, longjmp);
    let heads = Graph::new(module)?.cycle_heads();
    let mut bodies = Vec::new();
    for (n, function) in module.functions.iter().enumerate() {
        let index = module.imported_funcs as usize + n;
        bodies.push(rewrite(&mut out, &slow, module, index, heads[index], &function.body)?);
    }
    out.finish(bodies)
}

fn slow(out: &mut Output, longjmp: Option<u32>) -> Slow {
    let poll = out.new_function(0, 1);
    let budget = out.global(BUDGET, ValType::I32, true, FIRST_BUDGET);

    let mut body = Function::new([]);
    body.instructions().call(poll).global_set(budget).end();
    let poll = out.function("linux.poll", &[], &[], body);

    let mut body = Function::new([]);
    let mut code = body.instructions();
    check(&mut code, budget, poll);
    code.i32_const(LEAF).end();
    let leaf = out.function("linux.poll_leaf", &[], &[ValType::I32], body);
    Slow { budget, poll, leaf, longjmp }
}

/// Charges the budget.
fn check(code: &mut InstructionSink, budget: u32, poll: u32) {
    code.global_get(budget).i32_eqz().if_(BlockType::Empty).call(poll).end();
    code.global_get(budget).i32_const(1).i32_sub().global_set(budget);
}

/// What a loop does about safepoints.
#[derive(Clone, Copy, PartialEq)]
enum Loop {
    Calls,
    Leaf,
    /// A leaf that cannot be left and entered again: it has parameters.
    Closed,
}

/// The loops of a function, in order.
fn loops(module: &Module, body: &wasmparser::FunctionBody) -> Result<Vec<Loop>, Error> {
    let mut loops = Vec::new();
    let mut open: Vec<Option<usize>> = Vec::new();
    for op in body.get_operators_reader()? {
        match op? {
            Operator::Loop { blockty } => {
                open.push(Some(loops.len()));
                let has_params = matches!(blockty, wasmparser::BlockType::FuncType(ty)
                    if !module.types[ty as usize].params().is_empty());
                loops.push(if has_params { Loop::Closed } else { Loop::Leaf });
            }
            Operator::Block { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. } => open.push(None),
            Operator::End | Operator::Delegate { .. } => {
                open.pop();
            }
            Operator::Call { .. } | Operator::CallIndirect { .. } => {
                for n in open.iter().flatten() {
                    loops[*n] = Loop::Calls;
                }
            }
            _ => {}
        }
    }
    Ok(loops)
}

/// A label of the old function.
struct Label {
    /// Blocks that are open in it.
    level: u32,
    is_leaf: bool,
}

/// Adds the checks to one function.
struct Rewrite<'r> {
    slow: &'r Slow,
    /// The local that counts rounds.
    counter: u32,
    code: Vec<u8>,
    labels: Vec<Label>,
    level: u32,
}

impl Rewrite<'_> {
    fn sink(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    fn count(&mut self) {
        let counter = self.counter;
        self.sink().local_get(counter).i32_const(1).i32_sub().local_tee(counter).i32_eqz();
    }

    fn step(&mut self, out: &mut Output, op: Operator, next: Option<Loop>) -> Result<(), Error> {
        if self.slow.is_longjmp(&op) {
            let (budget, poll) = (self.slow.budget, self.slow.poll);
            check(&mut self.sink(), budget, poll);
        }
        let (ends, starts) = (body::is_end(&op), body::is_start(&op));
        let label = if ends { self.labels.pop() } else { None };
        if label.as_ref().is_some_and(|l| l.is_leaf) {
            self.end_leaf();
            return Ok(());
        }
        if let (Operator::Loop { blockty }, Some(Loop::Leaf)) = (&op, next) {
            let ty = out.map.block_type(*blockty)?;
            self.begin_leaf(ty);
            return Ok(());
        }
        // A delegate counts from outside its structure.
        let level = if ends { self.level.saturating_sub(1) } else { self.level };
        let depth = |relative: u32| match self.labels.len().checked_sub(relative as usize + 1) {
            Some(n) => level - self.labels[n].level,
            None => level,
        };
        relabel::instruction(&mut out.map, op, depth)?.encode(&mut self.code);
        self.level = level + u32::from(starts);
        if starts {
            self.labels.push(Label { level: self.level, is_leaf: false });
        }
        let Slow { budget, poll, leaf, .. } = *self.slow;
        match next {
            Some(Loop::Calls) => check(&mut self.sink(), budget, poll),
            Some(Loop::Closed) => {
                self.count();
                let counter = self.counter;
                self.sink().if_(BlockType::Empty).call(leaf).local_set(counter).end();
            }
            _ => {}
        }
        Ok(())
    }

    /// `block $done loop block $poll loop`: the call is outside the inner loop,
    /// so that nothing there lives across a call and all of it may stay in
    /// registers. What a loop without parameters knows is in locals, so it may
    /// be left at its head and entered again.
    fn begin_leaf(&mut self, ty: BlockType) {
        self.sink().block(ty).loop_(BlockType::Empty).block(BlockType::Empty).loop_(ty);
        self.level += 4;
        self.labels.push(Label { level: self.level, is_leaf: true });
        self.count();
        self.sink().br_if(1);
    }

    fn end_leaf(&mut self) {
        let (leaf, counter) = (self.slow.leaf, self.counter);
        self.sink().end().br(2).end().call(leaf).local_set(counter).br(0);
        self.sink().end().unreachable().end();
        self.level -= 4;
    }
}

fn jumps(slow: &Slow, body: &wasmparser::FunctionBody) -> Result<bool, Error> {
    for op in body.get_operators_reader()? {
        if slow.is_longjmp(&op?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn rewrite(
    out: &mut Output,
    slow: &Slow,
    module: &Module,
    index: usize,
    is_head: bool,
    body: &wasmparser::FunctionBody,
) -> Result<Function, Error> {
    let loops = loops(module, body)?;
    let jumps = jumps(slow, body)?;
    if loops.is_empty() && !is_head && !jumps {
        return out.unchanged(body);
    }
    let mut locals = Vec::new();
    let mut counter = module.func_type(index as u32).params().len() as u32;
    for pair in body.get_locals_reader()? {
        let (count, ty) = pair?;
        counter += count;
        locals.push((count, out.map.val_type(ty)?));
    }
    let mut rewrite = Rewrite { slow, counter, code: Vec::new(), labels: Vec::new(), level: 0 };
    if loops.iter().any(|l| *l != Loop::Calls) {
        locals.push((1, ValType::I32));
        rewrite.sink().i32_const(LEAF).local_set(counter);
    }
    if is_head {
        check(&mut rewrite.sink(), slow.budget, slow.poll);
    }
    let mut loops = loops.into_iter();
    for op in body.get_operators_reader()? {
        let op = op?;
        let next = if matches!(op, Operator::Loop { .. }) { loops.next() } else { None };
        rewrite.step(out, op, next)?;
    }
    let mut function = Function::new(locals);
    function.raw(rewrite.code);
    Ok(function)
}
