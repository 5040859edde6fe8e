//! The end of the stack: where an engine cannot close pages, a stack that runs
//! over would go on in the program's own data. So a function that lowers the
//! stack pointer looks whether it is still above `__linux_stack_limit`, which the
//! engine sets; 0 is no limit. What traps is an access that no memory allows, so
//! that it is the signal of any other bad access.
//!
//! A function that gives its frame back adds to the pointer: that needs no look.

use wasm_encoder::{BlockType, Encode, Function, InstructionSink, MemArg, ValType};
use wasmparser::{ExternalKind, Operator, TypeRef};

use crate::module::Module;
use crate::output::Output;
use crate::{relabel, Error};

pub const LIMIT: &str = "__linux_stack_limit";

/// What a check needs.
struct Check {
    stack_pointer: u32,
    limit: u32,
    overflow: u32,
}

/// Adds the checks to a module; nothing if it has no stack.
pub fn add(module: &Module) -> Result<Option<Vec<u8>>, Error> {
    let has_memory = module.imports.iter().any(|i| matches!(i.ty, TypeRef::Memory(_)));
    let stack_pointer = module.exported("__stack_pointer", ExternalKind::Global);
    let (Some(stack_pointer), true) = (stack_pointer, has_memory) else { return Ok(None) };
    let mut out = Output::new(module, &[], &[])?;
    let limit = out.global(LIMIT, ValType::I32, true, 0);
    let mut body = Function::new([]);
    let at = MemArg { offset: 0, align: 2, memory_index: 0 };
    body.instructions().i32_const(-1).i32_load(at).drop().unreachable().end();
    let overflow = out.function("linux.stack_overflow", &[], &[], body);
    let check = Check { stack_pointer, limit, overflow };
    let mut bodies = Vec::new();
    for function in &module.functions {
        bodies.push(rewrite(&mut out, &check, &function.body)?);
    }
    out.finish(bodies).map(Some)
}

/// Whether an instruction before `global.set` makes the stack pointer larger.
fn raises(op: &Operator) -> bool {
    matches!(op, Operator::I32Add)
}

fn rewrite(
    out: &mut Output,
    check: &Check,
    body: &wasmparser::FunctionBody,
) -> Result<Function, Error> {
    let sets = |op: &Operator| matches!(op, Operator::GlobalSet { global_index } if *global_index == check.stack_pointer);
    let ops = body.get_operators_reader()?.into_iter().collect::<Result<Vec<_>, _>>()?;
    let lowers = |n: usize| sets(&ops[n]) && !(n > 0 && raises(&ops[n - 1]));
    let lowered: Vec<bool> = (0..ops.len()).map(lowers).collect();
    if !lowered.contains(&true) {
        return out.unchanged(body);
    }
    let mut locals = Vec::new();
    for pair in body.get_locals_reader()? {
        let (count, ty) = pair?;
        locals.push((count, wasm_encoder::reencode::Reencode::val_type(&mut out.map, ty)?));
    }
    let mut code = Vec::new();
    for (op, lowered) in ops.into_iter().zip(lowered) {
        relabel::instruction(&mut out.map, op, |relative| relative)?.encode(&mut code);
        if lowered {
            let mut code = InstructionSink::new(&mut code);
            code.global_get(check.stack_pointer).global_get(check.limit).i32_lt_u();
            code.if_(BlockType::Empty).call(check.overflow).end();
        }
    }
    let mut function = Function::new(locals);
    function.raw(code);
    Ok(function)
}
