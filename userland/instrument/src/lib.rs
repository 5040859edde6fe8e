//! Makes a program module run on engines that cannot copy a host stack: the
//! browser, and processors without a native engine.
//!
//! ```text
//!  program module ── casts::add ── overflow::add ── safepoint::add ──► polls ── lower::lower ──► unwinds, jumps ── image
//! ```
//!
//! * `linux.fork` and `linux.vfork`: the frames between the program's entry and
//!   the call save themselves into a buffer and return; entered anew, in parent
//!   and child, they go back to the call.
//! * `linux.setjmp` and `linux.longjmp` become an exception.
//! * A call of a function that has another type than the pointer arrives.
//! * Loops and recursive functions call `linux.poll` from time to time.
//! * A stack that runs over traps, rather than to go on in the program's data.
//!
//! ARCHITECTURE.md ("An instrumented program") is the contract with the engine.
//! The same input gives the same output, byte for byte.

mod casts;
mod error;
mod graph;
mod image;
mod lower;
mod module;
mod output;
mod overflow;
mod relabel;
mod safepoint;

use wasmparser::{ExternalKind, Validator};

pub use error::Error;
use module::{features, Module};

/// The module name of all imports that belong to the platform.
const MODULE: &str = "linux";

/// How exceptions are written, in a module that does not write any itself. An
/// engine has one or both, but takes no module with both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exceptions {
    /// `try` and `catch`: every browser, node 18 and later.
    #[default]
    Legacy,
    /// `try_table`: the standard; browsers since 2025.
    Exnref,
}

/// Whether a signal handler may fork. It stands on whatever the program did
/// when the signal came, so every function that makes a system call or polls
/// must then be able to save itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Handlers {
    /// When a function that could be a handler reaches fork.
    #[default]
    Auto,
    /// Never: the engine answers EAGAIN.
    NoFork,
    /// Always.
    Fork,
}

#[derive(Debug, Clone, Default)]
pub struct Options {
    pub exceptions: Exceptions,
    pub handlers: Handlers,
    /// Leaves out safepoints: for measurements, and for engines that can
    /// interrupt a program by themselves.
    pub no_safepoints: bool,
    /// Leaves out what makes calls through pointers of other types arrive: for
    /// measurements, and for engines without `ref.test`. They trap then.
    pub no_casts: bool,
}

/// See the crate's text.
pub fn instrument(module: &[u8], options: &Options) -> Result<Vec<u8>, Error> {
    let read = Module::read(module)?;
    for name in [safepoint::BUDGET, lower::ABI] {
        if read.exported(name, ExternalKind::Global).is_some() {
            return Err(Error::Instrumented(name));
        }
    }
    let adapted = if options.no_casts { None } else { casts::add(&read)? };
    let adapted = adapted.unwrap_or_else(|| module.to_vec());
    let guarded = overflow::add(&Module::read(&adapted)?)?.unwrap_or(adapted);
    let polling = match options.no_safepoints {
        true => guarded,
        false => safepoint::add(&Module::read(&guarded)?)?,
    };
    let mut done = lower::lower(Module::read(&polling)?, options)?;
    image::identify(&mut done)?;
    Validator::new_with_features(features()).validate_all(&done).map_err(Error::Bug)?;
    Ok(done)
}
