//! Safepoints: a program gives the engine its turn, however busy it is.
//!
//! ```text
//!  loop that calls          global budget -= 1 in each round
//!  loop that does not       a local counter; each `LEAF` rounds cost the budget 1
//!  function on a cycle      global budget -= 1 at each entry
//!  budget used up           budget = linux.poll()
//! ```
//!
//! A counter in memory costs a tight loop four cycles a round, since each round
//! waits for the last one's store; a register costs nothing that can be
//! measured. A loop that calls pays for the call anyway, and must not begin its
//! callee's counter anew for nothing: so it always charges the budget.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Function, InstructionSink, ValType};
use wasmparser::Operator;

use crate::graph::Graph;
use crate::module::Module;
use crate::output::{NewImport, Output};
use crate::Error;

pub const BUDGET: &str = "__linux_budget";
const POLL: &str = "poll";

/// Rounds of a loop without calls that cost as much as one with calls.
const LEAF: i32 = 256;

/// What the budget is until the engine's first answer: some 100 µs.
const FIRST_BUDGET: i64 = 10_000;

/// The functions that the checks call.
struct Slow {
    budget: u32,
    poll: u32,
    leaf: u32,
}

/// Adds safepoints to a module.
pub fn add(module: &Module) -> Result<Vec<u8>, Error> {
    let import =
        NewImport::Function { name: POLL, params: Vec::new(), results: vec![ValType::I32] };
    let mut out = Output::new(module, &[import], &[])?;
    let slow = slow(&mut out);
    let heads = Graph::new(module)?.cycle_heads();
    let mut bodies = Vec::new();
    for (n, function) in module.functions.iter().enumerate() {
        let index = module.imported_funcs as usize + n;
        bodies.push(rewrite(&mut out, &slow, module, index, heads[index], &function.body)?);
    }
    out.finish(bodies)
}

fn slow(out: &mut Output) -> Slow {
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
    Slow { budget, poll, leaf }
}

/// Charges the budget.
fn check(code: &mut InstructionSink, budget: u32, poll: u32) {
    code.global_get(budget).i32_eqz().if_(BlockType::Empty).call(poll).end();
    code.global_get(budget).i32_const(1).i32_sub().global_set(budget);
}

/// For each loop of a function, in order: whether it calls.
fn loops(body: &wasmparser::FunctionBody) -> Result<Vec<bool>, Error> {
    let mut loops = Vec::new();
    let mut open: Vec<Option<usize>> = Vec::new();
    for op in body.get_operators_reader()? {
        match op? {
            Operator::Loop { .. } => {
                open.push(Some(loops.len()));
                loops.push(false);
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
                    loops[*n] = true;
                }
            }
            _ => {}
        }
    }
    Ok(loops)
}

fn rewrite(
    out: &mut Output,
    slow: &Slow,
    module: &Module,
    index: usize,
    is_head: bool,
    body: &wasmparser::FunctionBody,
) -> Result<Function, Error> {
    let loops = loops(body)?;
    if loops.is_empty() && !is_head {
        return out.unchanged(body);
    }
    let mut locals = Vec::new();
    let mut counter = module.func_type(index as u32).params().len() as u32;
    for pair in body.get_locals_reader()? {
        let (count, ty) = pair?;
        counter += count;
        locals.push((count, out.map.val_type(ty)?));
    }
    let has_leaf = loops.contains(&false);
    if has_leaf {
        locals.push((1, ValType::I32));
    }
    let mut function = Function::new(locals);
    if has_leaf {
        function.instructions().i32_const(LEAF).local_set(counter);
    }
    if is_head {
        check(&mut function.instructions(), slow.budget, slow.poll);
    }
    let mut loops = loops.into_iter();
    for op in body.get_operators_reader()? {
        let op = op?;
        let is_loop = matches!(op, Operator::Loop { .. });
        function.instruction(&out.map.instruction(op)?);
        if is_loop {
            let mut code = function.instructions();
            if loops.next() == Some(true) {
                check(&mut code, slow.budget, slow.poll);
            } else {
                code.local_get(counter).i32_const(1).i32_sub().local_tee(counter).i32_eqz();
                code.if_(BlockType::Empty).call(slow.leaf).local_set(counter).end();
            }
        }
    }
    Ok(function)
}
