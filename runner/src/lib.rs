//! Runs a real Linux kernel and its programs inside the calling process.
pub mod engine;
pub mod job;
pub mod machine;
pub mod pump;
pub mod stream;
