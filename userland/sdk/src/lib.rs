//! What a C program needs to become a wasmlinux program.
//!
//! ```text
//!  wasmlinux-cc ── command (what is asked) ── driver (clang-19, wasm-ld)
//!                                                │ linked module
//!                  sysroot (headers, libc.a)     └── finish ── program module
//! ```
//!
//! [`finish`] is the contract's keeper: whatever it returns is a program
//! module as ARCHITECTURE.md describes it.

#![deny(unsafe_code)]

pub mod command;
pub mod driver;
pub mod finish;
mod linker;
mod object;
mod response;
pub mod sysroot;
mod wasm;

pub use finish::finish;
