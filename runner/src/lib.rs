//! Runs a real Linux kernel and its programs inside the calling process.
//!
//! [`machine::Machine`] is a booted kernel, [`machine::Job`] a command in it,
//! [`stream::Stream`] the bytes between. Below them is the [`engine`].
pub mod engine;
pub mod guest;
pub mod job;
pub mod machine;
pub mod program;
pub mod pump;
pub mod stream;
pub mod terminal;
pub mod trace;
