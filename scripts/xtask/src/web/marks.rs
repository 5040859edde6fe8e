//! Which functions of a kernel are called: a kernel that notes it.
//!
//! Each function sets a byte of its own in the first 64 KiB of memory, where the kernel
//! has nothing but the pending word. `web/bundle/profile.ts` runs it and reads them.

use anyhow::{ensure, Result};
use hostabi::consts::PENDING_ADDR;
use wasm_encoder::{CodeSection, Instruction, RawSection, SectionId};
use wasmparser::{BinaryReader, CodeSectionReader, Parser, Payload};

/// Address of the first function's byte; NULL stays what it is.
pub const MARKS: u32 = 4096;

/// `kernel` with such functions, and how many they are.
pub fn mark(kernel: &[u8]) -> Result<(Vec<u8>, u32)> {
    let mut out = wasm_encoder::Module::new();
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(kernel) {
        let payload = payload?;
        if matches!(payload, Payload::CodeSectionEntry(_)) {
            continue;
        }
        let Some((id, range)) = payload.as_section() else { continue };
        let data = &kernel[range.start as usize..range.end as usize];
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

fn marked(code: &[u8]) -> Result<CodeSection> {
    let mut out = CodeSection::new();
    for (address, body) in (MARKS..).zip(CodeSectionReader::new(BinaryReader::new(code, 0))?) {
        ensure!(address < PENDING_ADDR, "too many functions for the room below {PENDING_ADDR:#x}");
        let body = body?;
        let start = body.range().start;
        let at = body.get_operators_reader()?.original_position() - start;
        let (locals, rest) = body.as_bytes().split_at(at as usize);
        let mut bytes = locals.to_vec();
        let mut sink = wasm_encoder::Function::new([]);
        sink.instruction(&Instruction::I32Const(address as i32));
        sink.instruction(&Instruction::I32Const(1));
        let byte = wasm_encoder::MemArg { offset: 0, align: 0, memory_index: 0 };
        sink.instruction(&Instruction::I32Store8(byte));
        // Behind the locals, of which `sink` has none: one byte.
        bytes.extend_from_slice(&sink.into_raw_body()[1..]);
        bytes.extend_from_slice(rest);
        out.raw(&bytes);
    }
    Ok(out)
}
