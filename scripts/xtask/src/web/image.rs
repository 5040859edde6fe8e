//! Modules that hold what a kernel's memory begins with, and nothing else: its own data,
//! and the memory of a machine that is booted (`web/src/engine/image.ts`).

use anyhow::{bail, ensure, Context as _, Result};
use hostabi::consts::GLOBAL_BASE;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    ConstExpr, DataSection, ExportKind, ExportSection, GlobalSection, GlobalType, ImportSection,
    MemoryType, Module, RawSection, SectionId, ValType,
};
use wasmparser::{DataKind, Operator, Parser, Payload, TypeRef};

/// So many zeros between two pieces cost more than another piece, with brotli.
const GAP: usize = 256;
/// Most pieces that browsers take.
const PIECES: u32 = 100_000;

pub struct Parts {
    pub code: Vec<u8>,
    pub data: Vec<u8>,
}

/// Takes a kernel's data out of it.
pub fn part(kernel: &[u8]) -> Result<Parts> {
    let mut code = Module::new();
    let mut data = None;
    let mut memory = None;
    for payload in Parser::new(0).parse_all(kernel) {
        let payload = payload?;
        match &payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    let import = import?;
                    if let TypeRef::Memory(ty) = import.ty {
                        memory = Some(((import.module, import.name), ty));
                    }
                }
            }
            Payload::DataSection(segments) => {
                for segment in segments.clone() {
                    check(&segment?.kind)?;
                }
            }
            Payload::CodeSectionEntry(_) => continue,
            _ => {}
        }
        let Some((id, range)) = payload.as_section() else { continue };
        let section = RawSection { id, data: &kernel[range.start as usize..range.end as usize] };
        match id {
            id if id == SectionId::Data as u8 => data = Some(section),
            id if id == SectionId::DataCount as u8 => {}
            _ => drop(code.section(&section)),
        }
    }
    let ((module, name), ty) = memory.context("it imports no memory")?;
    let mut imports = ImportSection::new();
    imports.import(module, name, RoundtripReencoder.memory_type(ty)?);
    let mut own = Module::new();
    own.section(&imports).section(&data.context("it has no data")?);
    Ok(Parts { code: code.finish(), data: own.finish() })
}

/// It lies where it says, from the beginning.
fn check(kind: &DataKind) -> Result<()> {
    if let DataKind::Active { memory_index: 0, offset_expr } = kind {
        let mut operators = offset_expr.get_operators_reader();
        if let (Operator::I32Const { .. }, Operator::End) = (operators.read()?, operators.read()?) {
            return Ok(());
        }
    }
    bail!("it has data that are not simply there")
}

/// The memory of a machine whose clock showed `clock` ns.
pub fn booted(memory: &[u8], clock: f64) -> Result<Vec<u8>> {
    let mut imports = ImportSection::new();
    let pages = memory.len() as u64 / 65536;
    let ty = MemoryType {
        minimum: pages,
        maximum: Some(pages),
        memory64: false,
        shared: false,
        page_size_log2: None,
    };
    imports.import("env", "memory", ty);
    let mut globals = GlobalSection::new();
    let ty = GlobalType { val_type: ValType::F64, mutable: false, shared: false };
    globals.global(ty, &ConstExpr::f64_const(clock.into()));
    let mut exports = ExportSection::new();
    exports.export("clock", ExportKind::Global, 0);

    // Below there is only what comes from the host.
    let base = GLOBAL_BASE as usize;
    let mut data = DataSection::new();
    for (start, piece) in pieces(&memory[base..]) {
        data.active(0, &ConstExpr::i32_const((base + start) as i32), piece.iter().copied());
    }
    ensure!(data.len() < PIECES, "the image is in {} pieces", data.len());
    let mut module = Module::new();
    module.section(&imports).section(&globals).section(&exports).section(&data);
    Ok(module.finish())
}

/// What is not zero, and where.
fn pieces(memory: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + memory[at..].iter().position(|&byte| byte != 0)?;
        let mut end = start;
        let mut zeros = 0;
        for (n, &byte) in memory[start..].iter().enumerate() {
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            if byte != 0 {
                end = start + n + 1;
            } else if zeros == GAP {
                break;
            }
        }
        at = end;
        Some((start, &memory[start..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::Validator;

    #[test]
    fn data_and_code_are_taken_apart() {
        let kernel = r#"(module (import "env" "memory" (memory 2)) (func (export "f"))
            (data (i32.const 65536) "abc"))"#;
        let Parts { code, data } = part(&wat::parse_str(kernel).unwrap()).unwrap();
        for module in [&code, &data] {
            Validator::new().validate_all(module).unwrap();
        }
        assert!(!code.windows(3).any(|bytes| bytes == b"abc"));
        assert!(data.windows(3).any(|bytes| bytes == b"abc"));
    }

    #[test]
    fn data_that_a_function_puts_there_are_refused() {
        let kernel = r#"(module (import "env" "memory" (memory 1)) (data "abc"))"#;
        assert!(part(&wat::parse_str(kernel).unwrap()).is_err());
    }

    #[test]
    fn an_image_has_what_is_not_zero() {
        let mut memory = vec![0; 4 * 65536];
        let base = GLOBAL_BASE as usize;
        memory[base - 1] = 9;
        memory[base] = 1;
        memory[base + GAP] = 2;
        memory[base + 2 * GAP + 1] = 3;
        let last = memory.len() - 1;
        memory[last] = 4;
        let found: Vec<_> = pieces(&memory[base..]).map(|(at, piece)| (at, piece.len())).collect();
        assert_eq!(found, [(0, GAP + 1), (2 * GAP + 1, 1), (last - base, 1)]);
        Validator::new().validate_all(&booted(&memory, 1.5).unwrap()).unwrap();
    }
}
