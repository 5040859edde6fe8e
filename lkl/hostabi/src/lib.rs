//! The one definition of the interface between `kernel.wasm` and its host.
//!
//! [`abi!`](crate::abi) is called once, in [`ops`], with every *host operation*
//! (imported by the kernel from module `host`) and every *kernel entry*
//! (exported by the kernel). Everything else is generated from that list:
//!
//! * [`HOST_OPS`] and [`ENTRIES`]: the list as data;
//! * [`c_header`]: the kernel's `asm/lkl_host.h`;
//! * [`typescript`]: the browser engine's `abi.ts`;
//! * [`for_each_host_op`] and [`for_each_entry`]: macros that hand the list to
//!   the engine, which builds its trampolines from it.
//!
//! Types: `i32`, `u32`, `u64`; `ptr` is a kernel address (32 bit), `uptr` an
//! address in the current process's memory. A result `never` does not return.
#![no_std]
extern crate alloc;

pub mod consts;
mod header;
mod ops;
mod typescript;

pub use header::c_header;
pub use ops::{ENTRIES, HOST_OPS};
pub use typescript::typescript;

/// Value type of a parameter or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    I32,
    U32,
    U64,
    /// Address in kernel memory.
    Ptr,
    /// Address in the current process's memory; nothing is known about it.
    Uptr,
}

/// Result of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ret {
    None,
    Never,
    Value(Ty),
}

/// A named parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    pub name: &'static str,
    pub ty: Ty,
}

/// One host operation or kernel entry.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    pub name: &'static str,
    pub doc: &'static [&'static str],
    pub params: &'static [Param],
    pub ret: Ret,
    /// Natively a C inline beside the kernel's code, not a call to the engine.
    pub inline: bool,
}
