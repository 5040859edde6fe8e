//! A kernel or a program in two halves: what a machine needs until somebody works with it,
//! and the rest, which a page fetches behind the prompt.
//!
//! ```text
//!  kernel.wasm                          kernel-rest.wasm
//!  functions ── call ─► stubs ──────────► functions
//!      ▲                  │ table "rest" ◄── (filled when it is instantiated)
//!      └──────────────────┼─────────── call
//!                         └─ host.rest(): waits until then
//! ```
//!
//! The picture is of a kernel's; a program's rest is all of it again. Both halves work on
//! the same memory, table and globals. A function that is in the rest has
//! a stub where the first half, or anybody's pointer, means it; a stub asks whether the
//! rest is there, which is the only thing that a call between halves costs. Nothing is
//! known of the code but what calls what, so any choice of functions is right.

mod module;

use anyhow::{ensure, Context as _, Result};
use module::Module;
use std::collections::BTreeSet;
use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, ImportSection, Instruction, RawSection, RefType,
    SectionId, StartSection, TableSection, TableType, TypeSection, ValType,
};
use wasmparser::{FuncType, Operator, TypeRef, Validator};

/// The name by which the first half asks for the rest: `() -> i32`, 0 once it is there; a
/// module that is told otherwise traps.
const WAIT: &str = "rest";
/// What a kernel, and a program, imports it from.
const KERNEL: &str = "host";
const PROGRAM: &str = "linux";
/// Where the rest's imports from the first half come from.
const FIRST: &str = "first";
/// The table of the rest's functions that others call.
const TABLE: &str = "rest";
/// The kernel's own, of what pointers to functions mean.
const OWN_TABLE: &str = "functions";
/// Its index in both halves, behind the kernel's own.
const REST: u32 = 1;

pub struct Halves {
    pub first: Vec<u8>,
    pub rest: Vec<u8>,
}

/// Splits `kernel`, which has no data: `keep` are functions of the first half, counted
/// without imports.
pub fn split(kernel: &[u8], keep: &BTreeSet<u32>) -> Result<Halves> {
    let module = Module::read(kernel)?;
    let first = First::new(&module, keep, KERNEL)?;
    let own: Vec<u32> = module.defined().filter(|&old| first.map[old as usize].is_none()).collect();
    let called = called(&module, &own)?;
    let (first, stubs) = first.write(&called)?;
    let rest = rest(&module, &called, &own, &stubs)?;
    Halves { first, rest }.checked()
}

/// Splits a program. Its rest has all of its code, so it calls nothing of the first half:
/// a program computes in its own calls, and there are many instances of one, for each of
/// which a function that another module calls would be an object.
pub fn split_program(program: &[u8], keep: &BTreeSet<u32>) -> Result<Halves> {
    let module = Module::read(program)?;
    ensure!(module.start.is_none(), "it has a start function");
    let (first, stubs) = First::new(&module, keep, PROGRAM)?.write(&BTreeSet::new())?;
    let rest = whole(&module, &stubs)?;
    Halves { first, rest }.checked()
}

impl Halves {
    fn checked(self) -> Result<Self> {
        for half in [&self.first, &self.rest] {
            Validator::new().validate_all(half).context("a half is no valid module")?;
        }
        Ok(self)
    }
}

/// The first half's view of the old module's functions.
struct First<'m, 'a> {
    module: &'m Module<'a>,
    /// Where it imports [`WAIT`] from.
    host: &'static str,
    /// Old indices, in their order; their new ones begin behind the imports.
    kept: Vec<u32>,
    /// Old indices of functions with a stub, in the order of the table.
    stubs: Vec<u32>,
    /// By old index: the new one, if it has one yet.
    map: Vec<Option<u32>>,
}

impl<'m, 'a> First<'m, 'a> {
    fn new(module: &'m Module<'a>, keep: &BTreeSet<u32>, host: &'static str) -> Result<Self> {
        let imported = module.imported;
        let mut kept: BTreeSet<u32> = keep.iter().map(|n| n + imported).collect();
        // Not all of their callers have a stack that can be suspended.
        kept.extend(module.entries().filter(|&f| f >= imported));
        let count = module.functions.len() as u32;
        ensure!(kept.last() < Some(&count), "there is no function {:?}", kept.last());
        let mut map: Vec<Option<u32>> = (0..imported).map(Some).collect();
        map.resize(count as usize, None);
        // `WAIT` is the last import.
        for (new, &old) in (imported + 1..).zip(&kept) {
            map[old as usize] = Some(new);
        }
        Ok(Self { module, host, kept: kept.into_iter().collect(), stubs: Vec::new(), map })
    }

    fn first_stub(&self) -> u32 {
        self.module.imported + 1 + self.kept.len() as u32
    }

    /// The half, and which functions have a stub. The rest calls functions `called`.
    fn write(mut self, called: &BTreeSet<u32>) -> Result<(Vec<u8>, Vec<u32>)> {
        let module = self.module;
        let mut code = CodeSection::new();
        for &old in &self.kept.clone() {
            code.function(&body(&mut self, module.body(old))?);
        }
        let mut elements = ElementSection::new();
        for section in &module.elements {
            self.parse_element_section(&mut elements, section.clone())?;
        }
        let (wait, wait_type) = (module.imported, module.types.len() as u32);
        let helper = self.first_stub() + self.stubs.len() as u32;
        for (slot, &old) in self.stubs.iter().enumerate() {
            code.function(&stub(module, old, slot as u32, helper));
        }
        code.function(&asks(wait));

        let mut out = wasm_encoder::Module::new();
        copy(module, &mut out, &[SectionId::Custom]);
        let mut types = types(module)?;
        types.ty().function([], [ValType::I32]);
        types.ty().function([], []);
        out.section(&types);
        let mut imports = ImportSection::new();
        for import in &module.imports {
            imports.import(import.module, import.name, self.entity_type(import.ty)?);
        }
        imports.import(self.host, WAIT, EntityType::Function(wait_type));
        out.section(&imports);
        let mut functions = FunctionSection::new();
        for &old in self.kept.iter().chain(&self.stubs) {
            functions.function(module.functions[old as usize]);
        }
        functions.function(wait_type + 1);
        out.section(&functions);
        let mut tables = TableSection::new();
        tables.table(self.table_type(module.table)?);
        tables.table(rest_table(self.stubs.len()));
        out.section(&tables);
        copy(module, &mut out, &[SectionId::Memory, SectionId::Global]);
        out.section(&self.exports(called)?);
        if let Some(start) = module.start {
            out.section(&StartSection { function_index: self.function_index(start)? });
        }
        out.section(&elements).section(&code);
        copy(module, &mut out, &[SectionId::Data]);
        Ok((out.finish(), self.stubs))
    }

    /// The kernel's own, and what the rest works with.
    fn exports(&mut self, called: &BTreeSet<u32>) -> Result<ExportSection> {
        let mut exports = ExportSection::new();
        for &export in &self.module.exports {
            self.parse_export(&mut exports, export)?;
        }
        exports.export(OWN_TABLE, ExportKind::Table, 0);
        exports.export(TABLE, ExportKind::Table, REST);
        for global in 0..self.module.globals.len() as u32 {
            exports.export(&global_name(global), ExportKind::Global, global);
        }
        for &old in called.iter().filter(|&&old| old >= self.module.imported) {
            let new = self.map[old as usize].expect("it is kept");
            exports.export(&function_name(old), ExportKind::Func, new);
        }
        Ok(exports)
    }
}

impl Reencode for First<'_, '_> {
    type Error = Infallible;

    fn function_index(&mut self, old: u32) -> Result<u32, reencode::Error> {
        let next = self.first_stub() + self.stubs.len() as u32;
        let new = self.map[old as usize].get_or_insert(next);
        if *new == next {
            self.stubs.push(old);
        }
        Ok(*new)
    }
}

/// The rest's view: imports of the kernel's and functions of the first half that it
/// calls, then its own.
struct Rest(Vec<Option<u32>>);

impl Reencode for Rest {
    type Error = Infallible;

    fn function_index(&mut self, old: u32) -> Result<u32, reencode::Error> {
        Ok(self.0[old as usize].expect("all that it calls was looked for"))
    }
}

/// `called` of the old functions are not its `own`; `stubs` are those that others call.
fn rest(module: &Module, called: &BTreeSet<u32>, own: &[u32], stubs: &[u32]) -> Result<Vec<u8>> {
    let mut map = Rest(vec![None; module.functions.len()]);
    for (new, &old) in called.iter().chain(own).enumerate() {
        map.0[old as usize] = Some(new as u32);
    }

    let mut imports = ImportSection::new();
    for import in &module.imports {
        match import.ty {
            TypeRef::Func(_) => {}
            ty => drop(imports.import(import.module, import.name, map.entity_type(ty)?)),
        }
    }
    for &old in called {
        let ty = EntityType::Function(module.functions[old as usize]);
        match module.imported_function(old) {
            Some(import) => imports.import(import.module, import.name, ty),
            None => imports.import(FIRST, &function_name(old), ty),
        };
    }
    shared(module, stubs.len(), &mut imports)?;
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for &old in own {
        functions.function(module.functions[old as usize]);
        code.function(&body(&mut map, module.body(old))?);
    }
    let filled: Vec<u32> = stubs.iter().map(|&old| map.0[old as usize].expect("its own")).collect();
    let mut elements = ElementSection::new();
    elements.active(Some(REST), &ConstExpr::i32_const(0), Elements::Functions(filled.into()));

    let mut out = wasm_encoder::Module::new();
    out.section(&types(module)?).section(&imports).section(&functions);
    out.section(&elements).section(&code);
    Ok(out.finish())
}

/// All of the code again, over what the first half has; `stubs` are those that it calls.
fn whole(module: &Module, stubs: &[u32]) -> Result<Vec<u8>> {
    let mut same = reencode::RoundtripReencoder;
    let mut imports = ImportSection::new();
    for import in &module.imports {
        imports.import(import.module, import.name, same.entity_type(import.ty)?);
    }
    shared(module, stubs.len(), &mut imports)?;
    let mut elements = ElementSection::new();
    for section in &module.elements {
        same.parse_element_section(&mut elements, section.clone())?;
    }
    elements.active(Some(REST), &ConstExpr::i32_const(0), Elements::Functions(stubs.into()));

    let mut out = wasm_encoder::Module::new();
    out.section(&types(module)?).section(&imports);
    copy(module, &mut out, &[SectionId::Function]);
    out.section(&elements);
    copy(module, &mut out, &[SectionId::Code]);
    Ok(out.finish())
}

/// What the rest imports of the first half but for functions.
fn shared(module: &Module, stubs: usize, imports: &mut ImportSection) -> Result<()> {
    let mut same = reencode::RoundtripReencoder;
    imports.import(FIRST, OWN_TABLE, same.table_type(module.table)?);
    imports.import(FIRST, TABLE, rest_table(stubs));
    for (n, global) in module.globals.iter().enumerate() {
        imports.import(FIRST, &global_name(n as u32), same.global_type(*global)?);
    }
    Ok(())
}

/// What functions `own` call of others.
fn called(module: &Module, own: &[u32]) -> Result<BTreeSet<u32>> {
    let mut called = BTreeSet::new();
    for &old in own {
        for operator in module.body(old).get_operators_reader()? {
            if let Operator::Call { function_index } = operator? {
                called.insert(function_index);
            }
        }
    }
    called.retain(|old| own.binary_search(old).is_err());
    Ok(called)
}

fn stub(module: &Module, old: u32, slot: u32, helper: u32) -> Function {
    let ty: &FuncType = module.function_type(old);
    let mut stub = Function::new([]);
    stub.instruction(&Instruction::Call(helper));
    for n in 0..ty.params().len() as u32 {
        stub.instruction(&Instruction::LocalGet(n));
    }
    stub.instruction(&Instruction::I32Const(slot as i32));
    let type_index = module.functions[old as usize];
    stub.instruction(&Instruction::CallIndirect { type_index, table_index: REST });
    stub.instruction(&Instruction::End);
    stub
}

/// Every slot is filled at once, so the first one tells.
fn asks(wait: u32) -> Function {
    let mut asks = Function::new([]);
    for instruction in [
        Instruction::I32Const(0),
        Instruction::TableGet(REST),
        Instruction::RefIsNull,
        Instruction::If(BlockType::Empty),
        Instruction::Call(wait),
        Instruction::If(BlockType::Empty),
        Instruction::Unreachable,
        Instruction::End,
        Instruction::End,
        Instruction::End,
    ] {
        asks.instruction(&instruction);
    }
    asks
}

fn body<R>(map: &mut R, body: &wasmparser::FunctionBody) -> Result<Function>
where
    R: Reencode<Error = Infallible>,
{
    let mut function = map.new_function_with_parsed_locals(body)?;
    let mut reader = body.get_operators_reader()?;
    while !reader.eof() {
        function.instruction(&map.parse_instruction(&mut reader)?);
    }
    Ok(function)
}

fn types(module: &Module) -> Result<TypeSection> {
    let mut types = TypeSection::new();
    for ty in &module.types {
        let ty = reencode::RoundtripReencoder.func_type(ty.clone())?;
        types.ty().func_type(&ty);
    }
    Ok(types)
}

fn rest_table(size: usize) -> TableType {
    let minimum = size as u64;
    TableType {
        element_type: RefType::FUNCREF,
        minimum,
        maximum: Some(minimum),
        table64: false,
        shared: false,
    }
}

/// Sections that mean no function.
fn copy(module: &Module, out: &mut wasm_encoder::Module, ids: &[SectionId]) {
    for id in ids.iter().map(|id| *id as u8) {
        if let Some(data) = module.sections.get(&id) {
            out.section(&RawSection { id, data });
        }
    }
}

fn global_name(n: u32) -> String {
    format!("g{n}")
}

fn function_name(old: u32) -> String {
    format!("{old:x}")
}

#[cfg(test)]
mod tests;
