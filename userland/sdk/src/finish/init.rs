//! Reads `__wasm_init_memory`, the start function wasm-ld makes for a shared
//! memory, for the addresses of the data segments. They are nowhere else.

use wasmparser::{FunctionBody, Operator};

use super::read::Segment;
use super::Error;

/// Gives each segment that `body` copies its address.
///
/// The body copies a segment by `i32.const addr; i32.const 0; i32.const len;
/// memory.init n`, and drops it with `data.drop n` unless it is the
/// thread-local one. Zero-filled memory (`memory.fill`) needs nothing: a
/// program's memory begins as zeros.
pub fn place(body: &FunctionBody, segments: &mut [Segment]) -> Result<(), Error> {
    let mut consts: Vec<i32> = Vec::new();
    let mut copies: Vec<(usize, u32)> = Vec::new();
    let mut dropped: Vec<usize> = Vec::new();
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::I32Const { value } => consts.push(value),
            Operator::MemoryInit { data_index, .. } => {
                let index = data_index as usize;
                match consts[..] {
                    [.., address, 0, len] if len as usize == segments[index].bytes.len() => {
                        copies.push((index, address as u32));
                    }
                    _ => return Err(Error::StartFunction("it copies a part of a segment")),
                }
                consts.clear();
            }
            Operator::DataDrop { data_index } => dropped.push(data_index as usize),
            Operator::Call { .. } | Operator::CallIndirect { .. } => {
                return Err(Error::StartFunction("it calls other functions"));
            }
            _ => {}
        }
    }
    for (index, address) in copies {
        if dropped.contains(&index) {
            segments[index].address = Some(address);
        }
    }
    if dropped.iter().any(|n| segments[*n].address.is_none()) {
        return Err(Error::StartFunction("it drops a segment it has not copied"));
    }
    Ok(())
}
