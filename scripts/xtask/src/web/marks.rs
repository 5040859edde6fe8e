//! Which functions of a module are called: a module that notes it.
//!
//! Each function sets a byte of its own in a memory that is there for nothing else: the
//! import `marks.memory`, which all instances share. `web/bundle/profile.ts` runs them and
//! reads it.

use anyhow::Result;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ImportSection, Instruction, MemArg, MemoryType, RawSection, SectionId,
};
use wasmparser::{BinaryReader, CodeSectionReader, Parser, Payload};

/// One byte each in a page of memory.
pub const MOST: u32 = 65536;

/// `module` with such functions, and how many they are.
pub fn mark(module: &[u8]) -> Result<(Vec<u8>, u32)> {
    let mut out = wasm_encoder::Module::new();
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if let Payload::ImportSection(imports) = payload {
            out.section(&with_memory(imports)?);
            continue;
        }
        if matches!(payload, Payload::CodeSectionEntry(_)) {
            continue;
        }
        let Some((id, range)) = payload.as_section() else { continue };
        let data = &module[range.start as usize..range.end as usize];
        if id == SectionId::Code as u8 {
            let code = marked(data)?;
            functions = code.len();
            out.section(&code);
        } else {
            out.section(&RawSection { id, data });
        }
    }
    Ok((out.finish(), functions))
}

/// The memory comes behind the module's own, so nothing else has another number.
fn with_memory(imports: wasmparser::ImportSectionReader) -> Result<ImportSection> {
    let mut out = ImportSection::new();
    for import in imports.into_imports() {
        let import = import?;
        out.import(import.module, import.name, RoundtripReencoder.entity_type(import.ty)?);
    }
    let ty = MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    };
    out.import("marks", "memory", ty);
    Ok(out)
}

fn marked(code: &[u8]) -> Result<CodeSection> {
    let mut out = CodeSection::new();
    for (address, body) in (0..).zip(CodeSectionReader::new(BinaryReader::new(code, 0))?) {
        let body = body?;
        let start = body.range().start;
        let at = body.get_operators_reader()?.original_position() - start;
        let (locals, rest) = body.as_bytes().split_at(at as usize);
        let mut bytes = locals.to_vec();
        let mut sink = wasm_encoder::Function::new([]);
        sink.instruction(&Instruction::I32Const(address));
        sink.instruction(&Instruction::I32Const(1));
        let byte = MemArg { offset: 0, align: 0, memory_index: 1 };
        sink.instruction(&Instruction::I32Store8(byte));
        // Behind the locals, of which `sink` has none: one byte.
        bytes.extend_from_slice(&sink.into_raw_body()[1..]);
        bytes.extend_from_slice(rest);
        out.raw(&bytes);
    }
    Ok(out)
}
