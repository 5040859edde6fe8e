//! Why a module was refused.

/// Offsets are bytes from the start of the module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a valid WebAssembly module, or it needs a proposal we do not accept.
    #[error("at byte {offset:#x}: {message}")]
    Invalid { offset: u64, message: String },
    /// Valid, but not translatable (in this mode).
    #[error("at byte {offset:#x}: {what} not supported")]
    Unsupported { offset: u64, what: String },
    /// The options contradict each other or the module.
    #[error("{0}")]
    Options(String),
}

impl Error {
    pub(crate) fn unsupported(offset: u64, what: impl Into<String>) -> Error {
        Error::Unsupported { offset, what: what.into() }
    }
}

impl From<wasmparser::Error> for Error {
    fn from(e: wasmparser::Error) -> Error {
        Error::Invalid { offset: e.offset(), message: e.message().to_string() }
    }
}
