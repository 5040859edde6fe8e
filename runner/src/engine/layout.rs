//! The memory layout that generated code and the engine share: the twin of
//! `wasm2c/include/w2c.h`, field by field.

use std::ffi::{c_char, c_void};

/// Distance from a context to its linear memory, bytes.
pub const CTX_OFFSET: usize = 12288;
/// Room for a context, bytes.
pub const CTX_SIZE: usize = 8192;
pub const PAGE: usize = 4096;
/// WebAssembly page, bytes.
pub const WASM_PAGE: usize = 65536;

/// `struct w2c_head`: the first fields of every context.
#[repr(C)]
pub struct Head {
    /// Absolute address of linear memory.
    pub mem: *mut u8,
    /// The current task, while this context's process is current.
    pub task: *mut super::task::Task,
    /// The engine's CPU.
    pub host: *mut c_void,
    pub stack_pointer: u32,
    pub tls_base: u32,
    pub pages: u32,
    pub max_pages: u32,
    /// What generated code calls: see [`Ops`].
    pub ops: Ops,
    /// Number of live setjmp states: see [`super::jump`].
    pub jump_depth: u32,
    pub spare32: u32,
    pub spare: [u64; 2],
}

/// `head.ops` of a process's context.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ops {
    pub syscall: unsafe extern "C" fn(),
    pub fork: unsafe extern "C" fn(),
    pub vfork: unsafe extern "C" fn(),
    pub setjmp: unsafe extern "C" fn(),
    pub longjmp: unsafe extern "C" fn(),
    pub trap: unsafe extern "C" fn(),
    pub safepoint: unsafe extern "C" fn(),
    pub spare: usize,
}

const _: () = {
    use std::mem::{offset_of, size_of};
    assert!(size_of::<Head>() == 128);
    assert!(offset_of!(Head, task) == 8);
    assert!(offset_of!(Head, host) == 16);
    assert!(offset_of!(Head, stack_pointer) == 24);
    assert!(offset_of!(Head, tls_base) == 28);
    assert!(offset_of!(Head, ops) == 40);
    assert!(offset_of!(Head, jump_depth) == 104);
};

/// The context that belongs to the linear memory at `mem`.
pub fn head_of(mem: *mut u8) -> *mut Head {
    mem.wrapping_sub(CTX_OFFSET).cast()
}

/// The linear memory that belongs to a context.
pub fn memory_of(head: *mut Head) -> *mut u8 {
    head.cast::<u8>().wrapping_add(CTX_OFFSET)
}

/// `W2C_ABI`: the version of everything in this file.
pub const ABI: u32 = 1;
/// `struct w2c_module.mode` of a program.
pub const MODE_GS: u32 = 3;
/// `W2C_FUNC`
pub const EXPORT_FUNCTION: u32 = 0;

/// `struct w2c_data`
#[repr(C)]
pub struct Segment {
    pub offset: u32,
    pub len: u32,
    pub bytes: *const u8,
}

/// `struct w2c_export`
#[repr(C)]
pub struct Export {
    pub name: *const c_char,
    pub signature: *const c_char,
    pub address: *const c_void,
    pub kind: u32,
}

/// `struct w2c_module`
#[repr(C)]
pub struct Module {
    pub name: *const c_char,
    pub abi: u32,
    pub mode: u32,
    pub ctx_size: u32,
    pub flags: u32,
    pub mem_min: u32,
    pub mem_max: u32,
    pub init: unsafe extern "C" fn(ctx: *mut Head),
    data: *const Segment,
    pub start: *const c_void,
    exports: *const Export,
    imports: *const c_void,
    data_count: u32,
    export_count: u32,
    import_count: u32,
    instantiate: *const c_void,
    resolve: *const c_void,
}

// SAFETY: constant tables made by the translator.
unsafe impl Send for Module {}
// SAFETY: as above.
unsafe impl Sync for Module {}

impl Module {
    /// # Safety
    /// Made by the translator, which keeps counts and tables together.
    pub unsafe fn segments(&self) -> &'static [Segment] {
        // SAFETY: per contract.
        unsafe { table(self.data, self.data_count) }
    }

    /// # Safety
    /// As [`Module::segments`].
    pub unsafe fn exports(&self) -> &'static [Export] {
        // SAFETY: per contract.
        unsafe { table(self.exports, self.export_count) }
    }
}

unsafe fn table<T>(first: *const T, count: u32) -> &'static [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: per the callers' contract.
    unsafe { std::slice::from_raw_parts(first, count as usize) }
}
