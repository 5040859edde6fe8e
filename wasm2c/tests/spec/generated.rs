//! Differential tests: modules from wasm-smith with fixed seeds, what wasmi
//! makes of them, and a `.wast` script that demands the same of us.
//!
//! Every export is called; at the end a second module hashes the memory. Which
//! of two traps in one expression comes first is not compared.

use std::fmt::Write as _;

use arbitrary::Unstructured;
use wasm_smith::{Config, Module};
use wasmi::core::{TrapCode, ValType};
use wasmi::{Engine, ExternType, Linker, Store, Val};

const SCRIPTS: u64 = 12;
const MODULES: u64 = 8;
const CALLS: u32 = 3;
/// Blocks and calls until a module traps: below wasmi's limit on depth.
const FUEL: u32 = 900;

/// Scripts with their names.
pub fn scripts() -> Vec<(String, String)> {
    (0..SCRIPTS)
        .map(|s| {
            // Linking comes last: gs mode stops there.
            let (parts, ends): (Vec<_>, Vec<_>) =
                (0..MODULES).filter_map(|m| script(s * MODULES + m)).unzip();
            let text = parts.concat() + &ends.concat();
            (format!("seeds-{}-{}", s * MODULES, (s + 1) * MODULES - 1), text)
        })
        .collect()
}

/// xorshift64*: enough to feed `arbitrary`, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

fn config(seed: u64) -> Config {
    // Every second module is one that gs mode accepts.
    let open = seed % 2 == 0;
    Config {
        export_everything: true,
        canonicalize_nans: true,
        // Left to themselves most functions trap at once; half may not.
        disallow_traps: seed % 4 >= 2,
        min_types: 6,
        min_funcs: 4,
        max_funcs: 12,
        max_instructions: 150,
        min_memories: 1,
        max_memories: 1,
        memory_max_size_required: true,
        max_memory32_bytes: 4 << 20,
        min_tables: 1,
        max_tables: if open { 3 } else { 1 },
        table_max_size_required: true,
        max_table_elements: 500,
        max_imports: 0,
        max_type_size: 200,
        bulk_memory_enabled: true,
        reference_types_enabled: open,
        max_element_segments: 4,
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

/// The calls for one seed and the check of its memory, if the module can be
/// instantiated.
fn script(seed: u64) -> Option<(String, String)> {
    let mut random = Random(seed * 2 + 0x9e37_79b9_7f4a_7c15);
    let bytes: Vec<u8> = (0..2048).flat_map(|_| random.next().to_le_bytes()).collect();
    let mut module = Module::new(config(seed), &mut Unstructured::new(&bytes)).ok()?;
    module.ensure_termination(FUEL).ok()?;
    run(seed, &module.to_bytes(), &mut random)
}

fn run(seed: u64, wasm: &[u8], random: &mut Random) -> Option<(String, String)> {
    let engine = Engine::default();
    let module = wasmi::Module::new(&engine, wasm).ok()?;
    let mut store = Store::new(&engine, ());
    let instance =
        Linker::new(&engine).instantiate(&mut store, &module).ok()?.start(&mut store).ok()?;
    let binary: String = wasm.iter().map(|b| format!("\\{b:02x}")).collect();
    let mut text = format!("(module $m{seed} binary \"{binary}\")\n");
    let mut memory = None;
    for export in module.exports() {
        let name = quoted(export.name());
        let ty = match export.ty() {
            ExternType::Func(ty) => ty.clone(),
            ExternType::Memory(_) => {
                memory = Some((name, export.name().to_string()));
                continue;
            }
            _ => continue,
        };
        let func = instance.get_func(&store, export.name())?;
        for _ in 0..CALLS {
            let args: Vec<Val> = ty.params().iter().map(|t| value(*t, random)).collect();
            let mut results: Vec<Val> = ty.results().iter().map(|t| Val::default(*t)).collect();
            let outcome = func.call(&mut store, &args, &mut results);
            let call = format!("(invoke {name}{})", args.iter().map(written).collect::<String>());
            match outcome.map_err(|e| e.as_trap_code()) {
                Ok(()) => {
                    let results: String = results.iter().map(written).collect();
                    let _ = writeln!(text, "(assert_return {call}{results})");
                }
                // Depths differ; what follows would too.
                Err(Some(TrapCode::StackOverflow) | None) => return Some((text, String::new())),
                Err(Some(_)) => {
                    let _ = writeln!(text, "(assert_trap {call} \"any\")");
                }
            }
        }
    }
    let (name, plain) = memory?;
    let data = instance.get_memory(&store, &plain)?.data(&store);
    let hash = data.chunks(8).fold(0u64, |h, c| {
        let word = c.iter().rev().fold(0u64, |w, b| (w << 8) | *b as u64);
        (h ^ word).wrapping_mul(0x0100_0000_01b3)
    });
    let end = format!(
        "(register \"m\" $m{seed})\n{}\n(assert_return (invoke \"hash\") (i64.const {}))\n",
        hasher(&name),
        hash as i64
    );
    Some((text, end))
}

/// A module that hashes the memory which another exports as `name`.
fn hasher(name: &str) -> String {
    format!(
        r#"(module
  (memory (import "m" {name}) 0)
  (func (export "hash") (result i64) (local $at i32) (local $end i32) (local $h i64)
    (local.set $end (i32.mul (memory.size) (i32.const 65536)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $h
          (i64.mul (i64.xor (local.get $h) (i64.load (local.get $at))) (i64.const 0x100000001b3)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (local.get $h)))"#
    )
}

fn value(ty: ValType, random: &mut Random) -> Val {
    let bits = random.next();
    // Small numbers meet more interesting code than arbitrary ones.
    let small = if bits & 3 == 0 { bits } else { bits % 70000 };
    match ty {
        ValType::I32 => Val::I32(small as i32),
        ValType::I64 => Val::I64(small as i64),
        ValType::F32 => Val::F32((small as i32 as f32 / 8.0).into()),
        ValType::F64 => Val::F64((small as i64 as f64 / 8.0).into()),
        other => Val::default(other),
    }
}

/// A constant in a script.
fn written(value: &Val) -> String {
    match value {
        Val::I32(v) => format!(" (i32.const {v})"),
        Val::I64(v) => format!(" (i64.const {v})"),
        Val::F32(v) => {
            let v = f32::from_bits(v.to_bits());
            format!(
                " (f32.const {})",
                float(v as f64, v.is_nan(), (v.to_bits() & 0x7f_ffff) as u64, v.is_sign_negative())
            )
        }
        Val::F64(v) => {
            let v = f64::from_bits(v.to_bits());
            format!(
                " (f64.const {})",
                float(v, v.is_nan(), v.to_bits() & ((1 << 52) - 1), v.is_sign_negative())
            )
        }
        Val::FuncRef(f) if f.is_null() => " (ref.null func)".into(),
        Val::FuncRef(_) => " (ref.func)".into(),
        _ => " (ref.null extern)".into(),
    }
}

fn float(value: f64, nan: bool, payload: u64, negative: bool) -> String {
    let sign = if negative { "-" } else { "" };
    match () {
        _ if nan => format!("{sign}nan:{payload:#x}"),
        _ if value.is_infinite() => format!("{sign}inf"),
        _ => format!("{value:e}"),
    }
}

fn quoted(name: &str) -> String {
    let bytes: String = name.bytes().map(|b| format!("\\{b:02x}")).collect();
    format!("\"{bytes}\"")
}
