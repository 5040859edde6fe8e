//! What can be wrong with a module.

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not a valid wasm module: {0}")]
    Invalid(#[from] wasmparser::BinaryReaderError),
    #[error("it is instrumented already (it exports {0})")]
    Instrumented(&'static str),
    #[error("its import {module}.{name} has another type than wasmlinux offers")]
    ImportType { module: String, name: String },
    #[error("{what} at byte {offset:#x} cannot be instrumented: {why}")]
    Unsupported { what: &'static str, offset: u64, why: &'static str },
    #[error("writing the module: {0}")]
    Encode(String),
    /// What the pass wrote does not validate. Never the user's fault.
    #[error("the instrumented module is wrong, which is a bug of this tool: {0}")]
    Bug(wasmparser::BinaryReaderError),
}

impl From<wasm_encoder::reencode::Error> for Error {
    fn from(error: wasm_encoder::reencode::Error) -> Self {
        match error {
            wasm_encoder::reencode::Error::ParseError(e) => Error::Invalid(e),
            other => Error::Encode(other.to_string()),
        }
    }
}
