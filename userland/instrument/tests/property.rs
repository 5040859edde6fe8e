//! For any program, a fork anywhere must change nothing but its result.
//!
//! Modules come from wasm-smith; `fork` is then called at random places between
//! their instructions, with whatever lies on the operand stack there. The
//! original under a host that only answers is the truth; the instrumented one
//! saves, copies and restores. Parent and child must both agree with it.

mod common;

use arbitrary::Unstructured;
use common::{Journal, Outcome, Plan, Process};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, GlobalSection, GlobalType,
    ImportSection, InstructionSink, TypeSection, ValType,
};
use wasm_smith::{Config, Module};
use wasmi::Val;
use wasmlinux_instrument::{instrument, Handlers, Options};

const SEEDS: u64 = 150;
const CALLS: usize = 2;

/// xorshift64*: enough to feed `arbitrary`, the same everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

fn config(seed: u64) -> Config {
    Config {
        allow_start_export: false,
        export_everything: true,
        canonicalize_nans: true,
        // Left to themselves most functions trap at once.
        disallow_traps: seed % 4 != 0,
        min_types: 4,
        min_funcs: 3,
        max_funcs: 8,
        max_instructions: 120,
        min_memories: 1,
        max_memories: 1,
        memory_max_size_required: true,
        max_memory32_bytes: 1 << 20,
        max_memory64_bytes: 1 << 20,
        min_tables: 1,
        max_tables: 1,
        table_max_size_required: true,
        max_table_elements: 100,
        max_imports: 0,
        max_type_size: 200,
        min_element_segments: 1,
        // Dropped segments and changed tables are not in a copy.
        bulk_memory_enabled: false,
        reference_types_enabled: false,
        simd_enabled: false,
        relaxed_simd_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        extended_const_enabled: false,
        custom_page_sizes_enabled: false,
        shared_everything_threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    }
}

/// Puts calls of `linux.fork` between instructions, adds their results up in a
/// global, and exports what a copy of a process needs.
struct Forky {
    random: Random,
    globals: Vec<bool>,
    sum: u32,
    /// Number of types, and so the index of fork's.
    types: u32,
}

impl Reencode for Forky {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        Ok(function + 1)
    }

    /// The buffer must be somewhere.
    fn memory_type(
        &mut self,
        mut ty: wasmparser::MemoryType,
    ) -> Result<wasm_encoder::MemoryType, Error<Self::Error>> {
        ty.initial = ty.initial.max(1);
        ty.maximum = ty.maximum.map(|m| m.max(1));
        Ok(wasm_encoder::reencode::utils::memory_type(self, ty))
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        wasm_encoder::reencode::utils::parse_type_section(self, types, section)?;
        types.ty().function([], [ValType::I32]);
        Ok(())
    }

    /// wasm-smith may write an empty one.
    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        _section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        imports.import("linux", "fork", EntityType::Function(self.types));
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        wasm_encoder::reencode::utils::parse_global_section(self, globals, section)?;
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(0));
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        for export in section {
            let export = export?;
            let index = match export.kind {
                wasmparser::ExternalKind::Func => export.index + 1,
                _ => continue,
            };
            exports.export(&format!("f{index}"), ExportKind::Func, index);
        }
        exports.export("memory", ExportKind::Memory, 0);
        for (n, mutable) in self.globals.iter().enumerate() {
            if *mutable {
                exports.export(&format!("g{n}"), ExportKind::Global, n as u32);
            }
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: wasmparser::FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            if self.random.next() % 6 == 0 {
                let mut forked: Vec<u8> = Vec::new();
                InstructionSink::new(&mut forked)
                    .global_get(self.sum)
                    .call(0)
                    .i32_add()
                    .global_set(self.sum);
                function.raw(forked);
            }
            function.instruction(&self.parse_instruction(&mut reader)?);
        }
        code.function(&function);
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut wasm_encoder::Module,
        after: Option<wasm_encoder::SectionId>,
        before: Option<wasm_encoder::SectionId>,
    ) -> Result<(), Error<Self::Error>> {
        if after == Some(wasm_encoder::SectionId::Type)
            && before != Some(wasm_encoder::SectionId::Import)
        {
            let mut imports = ImportSection::new();
            imports.import("linux", "fork", EntityType::Function(self.types));
            module.section(&imports);
        }
        Ok(())
    }
}

/// A module that forks, if wasm-smith makes one for this seed.
fn forky(seed: u64) -> Option<Vec<u8>> {
    let mut random = Random::new(seed);
    let bytes: Vec<u8> = (0..2048).flat_map(|_| random.next().to_le_bytes()).collect();
    let mut module = Module::new(config(seed), &mut Unstructured::new(&bytes)).ok()?;
    module.ensure_termination(60).ok()?;
    let wasm = module.to_bytes();
    let (mut globals, mut types) = (Vec::new(), 0);
    for payload in wasmparser::Parser::new(0).parse_all(&wasm) {
        match payload.expect("wasm-smith's are valid") {
            wasmparser::Payload::GlobalSection(s) => {
                globals.extend(s.into_iter().map(|g| g.expect("valid").ty.mutable));
            }
            wasmparser::Payload::TypeSection(s) => types = s.count(),
            _ => {}
        }
    }
    globals.push(true);
    let sum = globals.len() as u32 - 1;
    let mut out = wasm_encoder::Module::new();
    let mut forky = Forky { random, globals, sum, types };
    forky.parse_core_module(&mut out, wasmparser::Parser::new(0), &wasm).ok()?;
    Some(out.finish())
}

fn arguments(ty: &wasmi::FuncType, random: &mut Random) -> Vec<Val> {
    let value = |ty: &wasmi::core::ValType, r: u64| match ty {
        wasmi::core::ValType::I32 => Val::I32(r as i32 >> (r % 32)),
        wasmi::core::ValType::I64 => Val::I64(r as i64 >> (r % 64)),
        wasmi::core::ValType::F32 => Val::F32((r as i32 as f32).into()),
        wasmi::core::ValType::F64 => Val::F64((r as i64 as f64).into()),
        other => unreachable!("{other:?} is switched off"),
    };
    ty.params().iter().map(|ty| value(ty, random.next())).collect()
}

fn same(what: &str, got: &Outcome, expected: &Outcome) {
    assert_eq!(got.results, expected.results, "{what}");
    assert_eq!(got.globals, expected.globals, "{what}");
    assert_eq!(got.memory.len(), expected.memory.len(), "{what}");
    let differs = got.memory.iter().zip(&expected.memory).position(|(a, b)| a != b);
    assert_eq!(differs, None, "{what}: first byte of memory that differs");
}

/// Runs all exports of both modules and compares.
fn compare(seed: u64, original: &[u8], done: &[u8], plan: Plan) -> Journal {
    let quiet = Plan { one_of: 0, ..plan };
    let (Ok(mut truth), Ok(mut tried)) =
        (Process::start(original, quiet), Process::start(done, plan))
    else {
        return Journal::default();
    };
    let mut random = Random::new(seed);
    let names: Vec<(String, wasmi::FuncType)> = truth
        .instance
        .exports(&truth.store)
        .filter_map(|e| {
            let name = e.name().to_string();
            e.into_func().map(|f| (name, f.ty(&truth.store)))
        })
        .collect();
    for (name, ty) in names {
        for _ in 0..CALLS {
            let args = arguments(&ty, &mut random);
            let mut children = Vec::new();
            let expected = truth.call(&name, &args, &mut Vec::new());
            let got = tried.call(&name, &args, &mut children);
            let (Some(expected), Some(got)) = (expected, got) else {
                return tried.store.data().journal;
            };
            let what = format!("seed {seed}, {name}{args:?}");
            same(&what, &got, &expected);
            for child in children {
                same(&format!("{what}, child"), &child, &expected);
            }
        }
    }
    tried.store.data().journal
}

fn seeds(options: &Options, plan: Plan) -> Journal {
    // wasmi has no ref.test.
    let options = &Options { no_casts: true, ..options.clone() };
    let mut total = Journal::default();
    for seed in 0..SEEDS {
        let Some(original) = forky(seed) else { continue };
        let done = instrument(&original, options).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let journal = compare(seed, &original, &done, Plan { seed, ..plan });
        total.saved += journal.saved;
        total.refused += journal.refused;
        total.bytes += journal.bytes;
    }
    println!("{total:?}");
    total
}

#[test]
fn a_fork_anywhere_changes_nothing() {
    let plan = Plan { seed: 0, one_of: 3, room: 60_000, budget: 100 };
    let journal = seeds(&Options { no_safepoints: true, ..Options::default() }, plan);
    assert!(journal.saved > 500, "{journal:?}");
    assert_eq!(journal.refused, 0);
}

#[test]
fn a_fork_under_a_poll_changes_nothing() {
    let plan = Plan { seed: 0, one_of: 3, room: 60_000, budget: 2 };
    let journal = seeds(&Options { handlers: Handlers::Fork, ..Options::default() }, plan);
    assert!(journal.saved > 500, "{journal:?}");
}

#[test]
fn a_full_buffer_turns_back() {
    let plan = Plan { seed: 0, one_of: 2, room: 200, budget: 100 };
    let journal = seeds(&Options::default(), plan);
    assert!(journal.saved > 100 && journal.refused > 100, "{journal:?}");
}
