//! Calls through a table of a function that has another type than the pointer: a
//! trap in WebAssembly, and no more than a habit of old C. They arrive as on a
//! machine with 64-bit registers: integers and floating-point values each in
//! registers of their own, what is missing is 0, what is too much is dropped.
//! (`wasm2c/src/casts.rs` does the same natively.)
//!
//! ```text
//!  call_indirect T ──► ref.test T ── yes ──► call_indirect T
//!                          └── no ──► linux.cast_T(args, index)
//!                                        └► linux.call_any(registers, index) ──► call_indirect
//! ```
//!
//! The test costs a correct call about a nanosecond. A call may so reach whatever
//! the table names, and in a program that forks every function that calls through
//! the table can save its frame; most could before.

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Encode, Function, HeapType, InstructionSink, ValType};
use wasmparser::{FuncType, Operator};

use crate::module::Module;
use crate::output::Output;
use crate::{relabel, Error};

/// The one table that C has.
const TABLE: u32 = 0;

const INTEGER: usize = 0;
const FLOAT: usize = 1;

/// The class of registers a value is passed in.
fn class(ty: wasmparser::ValType) -> Option<usize> {
    match ty {
        wasmparser::ValType::I32 | wasmparser::ValType::I64 => Some(INTEGER),
        wasmparser::ValType::F32 | wasmparser::ValType::F64 => Some(FLOAT),
        _ => None,
    }
}

/// Registers that a type's parameters take. `None`: it is nothing that C has.
fn registers(ty: &FuncType) -> Option<[u32; 2]> {
    if ty.results().len() > 1 || ty.results().iter().any(|r| class(*r).is_none()) {
        return None;
    }
    let mut count = [0; 2];
    for param in ty.params() {
        count[class(*param)?] += 1;
    }
    Some(count)
}

/// Adds the adapters; nothing if no call goes through the table.
pub fn add(module: &Module) -> Result<Option<Vec<u8>>, Error> {
    let called = called(module)?;
    if called.is_empty() {
        return Ok(None);
    }
    let mut out = Output::new(module, &[], &[])?;
    let any = Any::add(&mut out, module);
    let mut adapters = BTreeMap::new();
    for ty in called {
        adapters.insert(ty, any.cast(&mut out, module, ty));
    }
    let mut bodies = Vec::new();
    for (n, function) in module.functions.iter().enumerate() {
        let params = module.func_type(module.imported_funcs + n as u32).params().len() as u32;
        bodies.push(rewrite(&mut out, module, &adapters, params, &function.body)?);
    }
    out.finish(bodies).map(Some)
}

/// Types of the calls through the table, each once, as their first equal.
fn called(module: &Module) -> Result<BTreeSet<u32>, Error> {
    let mut called = BTreeSet::new();
    for function in &module.functions {
        for op in function.body.get_operators_reader()? {
            if let Operator::CallIndirect { type_index, table_index: TABLE } = op? {
                called.extend(canonical(module, type_index));
            }
        }
    }
    Ok(called)
}

/// The first type that equals this one, if calls of it can be adapted.
fn canonical(module: &Module, ty: u32) -> Option<u32> {
    let ty = &module.types[ty as usize];
    registers(ty)?;
    module.types.iter().position(|t| t == ty).map(|n| n as u32)
}

/// `linux.call_any`: 64-bit registers and a function's index; the integer and the
/// floating-point register of the result.
struct Any {
    function: u32,
    registers: [u32; 2],
}

impl Any {
    fn add(out: &mut Output, module: &Module) -> Self {
        let types = module.referenced.iter().map(|f| module.func_types[*f as usize]);
        let types: BTreeSet<u32> = types.filter_map(|ty| canonical(module, ty)).collect();
        let needed = types.iter().filter_map(|ty| registers(&module.types[*ty as usize]));
        let needed = needed.fold([0; 2], |a, b| [a[0].max(b[0]), a[1].max(b[1])]);
        let index = needed[INTEGER] + needed[FLOAT];
        let none = out.ty(&[], &[]);

        let mut body = Function::new([(1, ValType::I64)]);
        let mut code = body.instructions();
        for ty in types {
            let signature = &module.types[ty as usize];
            code.local_get(index).table_get(TABLE).ref_test_non_null(HeapType::Concrete(ty));
            code.if_(BlockType::Empty);
            let mut used = [0; 2];
            for param in signature.params() {
                let class = class(*param).expect("it can be adapted");
                code.local_get(class as u32 * needed[INTEGER] + used[class]);
                used[class] += 1;
                from_register(&mut code, *param);
            }
            code.local_get(index).call_indirect(TABLE, ty);
            match signature.results().first() {
                None => {
                    code.i64_const(0).i64_const(0);
                }
                Some(result) if class(*result) == Some(INTEGER) => {
                    to_register(&mut code, *result);
                    code.i64_const(0);
                }
                Some(result) => {
                    // The integer register lies below.
                    to_register(&mut code, *result);
                    code.local_set(index + 1).i64_const(0).local_get(index + 1);
                }
            }
            code.return_().end();
        }
        // Null, or nothing that C has: the engine's own trap says which.
        code.local_get(index).call_indirect(TABLE, none).unreachable().end();
        let mut params = vec![ValType::I64; index as usize];
        params.push(ValType::I32);
        let function = out.function("linux.call_any", &params, &[ValType::I64; 2], body);
        Any { function, registers: needed }
    }

    /// The function that makes a call of type `ty` to a function of any other.
    fn cast(&self, out: &mut Output, module: &Module, ty: u32) -> u32 {
        let signature = &module.types[ty as usize];
        let mut values: [Vec<u32>; 2] = Default::default();
        for (n, param) in (0..).zip(signature.params()) {
            values[class(*param).expect("it can be adapted")].push(n);
        }
        let index = signature.params().len() as u32;
        let mut body = Function::new([(1, ValType::I64)]);
        let mut code = body.instructions();
        for class in [INTEGER, FLOAT] {
            for n in 0..self.registers[class] as usize {
                match values[class].get(n) {
                    Some(param) => {
                        code.local_get(*param);
                        to_register(&mut code, signature.params()[*param as usize]);
                    }
                    None => {
                        code.i64_const(0);
                    }
                }
            }
        }
        code.local_get(index).call(self.function);
        match signature.results().first() {
            None => {
                code.drop().drop();
            }
            Some(result) if class(*result) == Some(INTEGER) => {
                code.drop();
                from_register(&mut code, *result);
            }
            Some(result) => {
                code.local_set(index + 1).drop().local_get(index + 1);
                from_register(&mut code, *result);
            }
        }
        code.end();
        let (mut params, results) = out.type_of(ty);
        params.push(ValType::I32);
        out.function(format!("linux.cast_{ty}"), &params, &results, body)
    }
}

/// The value on top of the stack as the bits of a register, and back.
fn to_register(code: &mut InstructionSink, ty: wasmparser::ValType) {
    match ty {
        wasmparser::ValType::I32 => code.i64_extend_i32_u(),
        wasmparser::ValType::F32 => code.i32_reinterpret_f32().i64_extend_i32_u(),
        wasmparser::ValType::F64 => code.i64_reinterpret_f64(),
        _ => code,
    };
}

fn from_register(code: &mut InstructionSink, ty: wasmparser::ValType) {
    match ty {
        wasmparser::ValType::I32 => code.i32_wrap_i64(),
        wasmparser::ValType::F32 => code.i32_wrap_i64().f32_reinterpret_i32(),
        wasmparser::ValType::F64 => code.f64_reinterpret_i64(),
        _ => code,
    };
}

/// The adapter for an instruction, if it needs one.
fn adapter(module: &Module, adapters: &BTreeMap<u32, u32>, op: &Operator) -> Option<(u32, u32)> {
    let Operator::CallIndirect { type_index, table_index: TABLE } = op else { return None };
    let ty = canonical(module, *type_index)?;
    Some((ty, adapters[&ty]))
}

fn rewrite(
    out: &mut Output,
    module: &Module,
    adapters: &BTreeMap<u32, u32>,
    params: u32,
    body: &wasmparser::FunctionBody,
) -> Result<Function, Error> {
    let ops = body.get_operators_reader()?.into_iter().collect::<Result<Vec<_>, _>>()?;
    if ops.iter().all(|op| adapter(module, adapters, op).is_none()) {
        return out.unchanged(body);
    }
    let mut locals = Vec::new();
    let mut index = params;
    for pair in body.get_locals_reader()? {
        let (count, ty) = pair?;
        index += count;
        locals.push((count, out.map.val_type(ty)?));
    }
    locals.push((1, ValType::I32));
    let mut code = Vec::new();
    for op in ops {
        let Some((ty, adapter)) = adapter(module, adapters, &op) else {
            relabel::instruction(&mut out.map, op, |relative| relative)?.encode(&mut code);
            continue;
        };
        let (mut params, results) = out.type_of(ty);
        params.push(ValType::I32);
        let block = BlockType::FunctionType(out.ty(&params, &results));
        let mut code = InstructionSink::new(&mut code);
        code.local_tee(index).local_get(index).table_get(TABLE);
        code.ref_test_non_null(HeapType::Concrete(ty));
        code.if_(block).call_indirect(TABLE, ty).else_().call(adapter).end();
    }
    let mut function = Function::new(locals);
    function.raw(code);
    Ok(function)
}
