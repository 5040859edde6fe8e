//! One function, whole: its code between what restores its frame and what saves
//! it.
//!
//! ```text
//!  state? locals and resume from the buffer
//!  block $save (result i32)                   a site's number comes out
//!    loop $again, try                         only where setjmp is called
//!      code (emit.rs), ends with return
//!    catch $longjmp: resume = land(...), br $again
//!  end
//!  locals and site into the buffer; no room for more? back in at once
//!  return anything
//! ```

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Catch, Encode, Function, Instruction, InstructionSink, ValType};
use wasmparser::Operator;

use super::abi::Abi;
use super::body::Body;
use super::emit::{Emit, Machine};
use super::liveness;
use super::sites::Finder;
use super::stack::Stack;
use crate::graph::Reach;
use crate::module;
use crate::output::Output;
use crate::{Error, Exceptions};

/// What all functions of a module have in common.
pub struct Context<'c> {
    pub reach: &'c Reach,
    pub setjmp: Option<u32>,
    pub exceptions: Exceptions,
}

pub fn rewrite<'a>(
    out: &mut Output<'_, 'a>,
    abi: &mut Abi,
    context: &Context,
    index: u32,
    function: module::Function<'a>,
) -> Result<Function, Error> {
    let reaches = context.reach.function(index);
    if !reaches && !calls(&function, context.setjmp)? {
        return out.unchanged(&function.body);
    }
    let body = Body::decode(function)?;
    let after_calls = liveness::after_calls(&body, context.setjmp);
    let finder = Finder {
        body: &body,
        reach: Some(context.reach),
        setjmp: context.setjmp,
        after_calls: &after_calls,
    };
    let sites = finder.find()?;
    let (saves, jumps) = (sites.calls > 0, sites.setjmps > 0);

    let mut stack = Stack::new(&body, &sites);
    let machine = Machine {
        resume: stack.locals.fresh(wasmparser::ValType::I32),
        invocation: if jumps { stack.locals.fresh(wasmparser::ValType::I64) } else { 0 },
        jump_value: if jumps { stack.locals.fresh(wasmparser::ValType::I32) } else { 0 },
        save_level: 1,
    };
    let mut emit = Emit::new(out, abi, stack, &after_calls, machine);
    if saves {
        emit.sink().block(BlockType::Result(ValType::I32));
        emit.level += 1;
    }
    if jumps {
        open_landing(&mut emit, context.exceptions);
        if saves {
            emit.saved.insert(machine.invocation);
        }
    }
    emit.body()?;
    if jumps {
        close_landing(&mut emit, context.exceptions);
    }
    let Emit { code, saved, stack, .. } = emit;
    let mut types = Vec::new();
    for ty in &stack.locals.types {
        types.push(out.map.val_type(*ty)?);
    }
    let mut whole = Function::new_with_locals_types(types[body.params..].iter().copied());
    if saves {
        let saved: Vec<(u32, ValType)> =
            saved.into_iter().map(|local| (local, types[local as usize])).collect();
        let groups = abi.groups(&saved);
        let head = restore(out, abi, &machine, &groups);
        let tail = save(out, abi, &machine, &groups, index);
        whole.raw(head).raw(code).raw(tail);
    } else {
        whole.raw(code);
        whole.instructions().unreachable();
    }
    whole.instructions().end();
    Ok(whole)
}

/// Whether it calls setjmp.
fn calls(function: &module::Function, setjmp: Option<u32>) -> Result<bool, Error> {
    let Some(setjmp) = setjmp else { return Ok(false) };
    for op in function.body.get_operators_reader()? {
        if matches!(op?, Operator::Call { function_index } if function_index == setjmp) {
            return Ok(true);
        }
    }
    Ok(false)
}

type Groups = [(ValType, Vec<u32>)];

fn restore(out: &mut Output, abi: &mut Abi, machine: &Machine, groups: &Groups) -> Vec<u8> {
    let (_, pop_site) = abi.site_moves(out);
    let mut head = Vec::new();
    let mut code = InstructionSink::new(&mut head);
    code.global_get(abi.state).if_(BlockType::Empty);
    code.call(pop_site).local_set(machine.resume);
    for (ty, locals) in groups.iter().rev() {
        code.call(abi.pop(out, *ty, locals.len()));
        for local in locals.iter().rev() {
            code.local_set(*local);
        }
    }
    code.end();
    head
}

fn save(
    out: &mut Output,
    abi: &mut Abi,
    machine: &Machine,
    groups: &Groups,
    index: u32,
) -> Vec<u8> {
    let (push_site, _) = abi.site_moves(out);
    let (params, results) = out.signature(index);
    let mut tail = Vec::new();
    let mut code = InstructionSink::new(&mut tail);
    code.end().local_set(machine.resume);
    for (ty, locals) in groups {
        for local in locals {
            code.local_get(*local);
        }
        code.call(abi.push(out, *ty, locals.len()));
    }
    code.local_get(machine.resume).call(push_site).if_(BlockType::Empty);
    for ty in params {
        zero(&mut code, ty);
    }
    code.call(out.mapped(index)).return_().end();
    for ty in results {
        zero(&mut code, ty);
    }
    tail
}

/// A value that nobody looks at.
fn zero(code: &mut InstructionSink, ty: ValType) {
    match ty {
        ValType::I32 => code.i32_const(0),
        ValType::I64 => code.i64_const(0),
        ValType::F32 => code.f32_const(0.0.into()),
        ValType::F64 => code.f64_const(0.0.into()),
        ValType::V128 => code.v128_const(0),
        ValType::Ref(ty) => code.ref_null(ty.heap_type),
    };
}

fn open_landing(emit: &mut Emit, exceptions: Exceptions) {
    let tag = emit.abi.tag();
    emit.sink().loop_(BlockType::Empty);
    match exceptions {
        Exceptions::Legacy => {
            Instruction::Try(BlockType::Empty).encode(&mut emit.code);
            emit.level += 2;
        }
        Exceptions::Exnref => {
            let caught = emit.out.ty(&[], &[ValType::I32, ValType::I32]);
            emit.sink()
                .block(BlockType::FunctionType(caught))
                .try_table(BlockType::Empty, [Catch::One { tag, label: 0 }]);
            emit.level += 3;
        }
    }
}

fn close_landing(emit: &mut Emit, exceptions: Exceptions) {
    let tag = emit.abi.tag();
    let land = emit.abi.land(emit.out);
    let Machine { resume, invocation, jump_value, .. } = emit.machine;
    match exceptions {
        Exceptions::Legacy => Instruction::Catch(tag).encode(&mut emit.code),
        Exceptions::Exnref => {
            emit.sink().end().unreachable().end();
        }
    }
    emit.sink()
        .local_tee(jump_value)
        .local_get(invocation)
        .call(land)
        .local_set(resume)
        .br(if exceptions == Exceptions::Legacy { 1 } else { 0 });
    if exceptions == Exceptions::Legacy {
        emit.sink().end();
    }
    emit.sink().end().unreachable();
}
