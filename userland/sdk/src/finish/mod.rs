//! Turns what the linker wrote into a program module.
//!
//! ```text
//!  linker's module ── read ──► Parts ── memory: segments ──► write ── identify
//! ```
//!
//! The linker can make thread-local storage only for a shared memory, and then
//! fills the memory in a start function that is meant to race with other
//! instances. A program of ours has an unshared memory that the engine fills.
//! So finishing
//!
//! * checks that the module imports and exports what the contract says,
//! * makes the imported memory unshared and without a maximum,
//! * makes each data segment active at the address where the start function
//!   would have put it, and empties that function; the thread-local image stays
//!   passive, because `__wasm_init_tls` copies it for each thread,
//! * drops custom sections, except `name`,
//! * puts `linux.image` first.
//!
//! The same input gives the same output, byte for byte.

mod image;
mod init;
mod read;

use wasmparser::{Validator, WasmFeatures};

use crate::wasm::{self, id};
pub use image::{Image, IMAGE_MAGIC, IMAGE_SECTION};
use read::Parts;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not a valid wasm module: {0}")]
    Invalid(#[from] wasmparser::BinaryReaderError),
    #[error("it is finished already (it has a linux.image section)")]
    Finished,
    #[error(
        "it imports {module}.{name}, which no engine of wasmlinux offers; is a library missing?"
    )]
    UnknownImport { module: String, name: String },
    #[error("its import {module}.{name} has another type than wasmlinux offers")]
    ImportType { module: String, name: String },
    #[error("it does not import its memory (wasm-ld --import-memory)")]
    NoMemory,
    #[error("it does not export {0}; was it linked with crt1.o and the options of wasmlinux-cc?")]
    NoExport(&'static str),
    #[error("its data begins at {0:#x}, below 64 KiB (wasm-ld --global-base=65536)")]
    LowData(u32),
    #[error("its start function is not the one wasm-ld makes for --shared-memory: {0}")]
    StartFunction(&'static str),
}

/// Lowest address of data, as `USER_BASE` in lkl/hostabi.
pub const DATA_START: u32 = 0x10000;

/// See the module's text.
pub fn finish(module: &[u8]) -> Result<Vec<u8>, Error> {
    Validator::new_with_features(features()).validate_all(module)?;
    let parts = Parts::read(module)?;

    let mut body = Vec::with_capacity(module.len());
    for section in &parts.sections {
        let content = &module[section.content.clone()];
        match section.id {
            id::CUSTOM if section.name != "name" => {}
            id::IMPORT => wasm::section(&mut body, id::IMPORT, &parts.imports(module)),
            id::EXPORT => wasm::section(&mut body, id::EXPORT, &parts.exports(module)),
            id::START => {}
            id::CODE => wasm::section(&mut body, id::CODE, &code(module, &parts)),
            id::DATA => wasm::section(&mut body, id::DATA, &data(module, &parts)),
            other => wasm::section(&mut body, other, content),
        }
    }

    let finished = Image::identify(parts.data_end, &body).prepend(&body);
    // What was cut and joined above must still be a module.
    Validator::new_with_features(features()).validate_all(&finished)?;
    Ok(finished)
}

fn features() -> WasmFeatures {
    // clang 19 throws in the older encoding.
    WasmFeatures::default() | WasmFeatures::THREADS | WasmFeatures::LEGACY_EXCEPTIONS
}

/// The code section with an empty body in place of the start function's.
fn code(module: &[u8], parts: &Parts) -> Vec<u8> {
    const NO_LOCALS_END: &[u8] = &[0, 0x0b];

    let mut out = Vec::new();
    wasm::unsigned(&mut out, parts.bodies.len() as u32);
    for (index, body) in parts.bodies.iter().enumerate() {
        let is_start = parts.start == Some(index);
        wasm::bytes(&mut out, if is_start { NO_LOCALS_END } else { &module[body.clone()] });
    }
    out
}

/// The data section with each segment active at its address, if it has one.
fn data(module: &[u8], parts: &Parts) -> Vec<u8> {
    const ACTIVE: u8 = 0;
    const PASSIVE: u8 = 1;
    const I32_CONST: u8 = 0x41;
    const END: u8 = 0x0b;

    let mut out = Vec::new();
    wasm::unsigned(&mut out, parts.segments.len() as u32);
    for segment in &parts.segments {
        match segment.address {
            Some(address) => {
                out.extend([ACTIVE, I32_CONST]);
                wasm::signed(&mut out, address as i32);
                out.push(END);
            }
            None => out.push(PASSIVE),
        }
        wasm::bytes(&mut out, &module[segment.bytes.clone()]);
    }
    out
}

#[cfg(test)]
mod tests;
