//! Programs compiled ahead of time, found by build id.
//!
//! A program's module carries its build id in its first section
//! (`linux.image`); its compiled code is linked into this binary or loaded from
//! a shared object. An image is never unloaded: a process of any machine may run
//! it, and code cannot be taken from under a running stack.

use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::{OnceLock, RwLock};

use super::layout::{Head, Module, CTX_SIZE};

/// SHA-256 of a module without its `linux.image` section.
pub type BuildId = [u8; 32];

/// A compiled program.
pub struct Image {
    pub module: &'static Module,
    /// `_start(sp)`.
    pub start: usize,
    /// `__wasm_thread_start(sp)`; 0 when the program cannot start threads.
    pub thread_start: usize,
    /// `__wasm_signal(handler, sig, info, ctx, siginfo)`; 0 likewise.
    pub signal: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("the module has no `_start` function")]
    NoStart,
    #[error("`{0}` does not have the type the engine calls it with")]
    WrongType(&'static str),
    #[error("its code was made by another version of the translator")]
    WrongAbi,
    #[error("its globals need {0} bytes, more than a context holds")]
    TooManyGlobals(u32),
}

impl Image {
    /// # Safety
    /// `module` was made by the translator in `gs` mode.
    pub unsafe fn new(module: &'static Module) -> Result<Image, ImageError> {
        if module.abi != super::layout::ABI || module.mode != super::layout::MODE_GS {
            return Err(ImageError::WrongAbi);
        }
        if module.ctx_size as usize > CTX_SIZE {
            return Err(ImageError::TooManyGlobals(module.ctx_size));
        }
        // SAFETY: the translator's tables are as their lengths say.
        let find = |name, signature| unsafe { export(module, name, signature) };
        Ok(Image {
            module,
            start: find("_start", "i:")?.ok_or(ImageError::NoStart)?,
            thread_start: find("__wasm_thread_start", "i:")?.unwrap_or(0),
            signal: find("__wasm_signal", "iiiii:")?.unwrap_or(0),
        })
    }

    /// Writes the initial globals and data of a program to a fresh memory.
    ///
    /// # Safety
    /// `head` is the context of a process memory whose data range is mapped.
    pub unsafe fn load(&self, head: *mut Head) -> bool {
        // SAFETY: per contract; the initialiser only writes the context.
        unsafe { (self.module.init)(head) };
        let mem = super::layout::memory_of(head);
        // SAFETY: the translator's table is as its length says.
        let segments = unsafe { self.module.segments() };
        segments.iter().all(|s| {
            let to = mem.wrapping_add(s.offset as usize);
            // SAFETY: `wl_copy` stops at the first byte that is not mapped.
            unsafe { super::asm::wl_copy(to, s.bytes, s.len as usize) == 0 }
        })
    }
}

unsafe fn export(
    module: &Module,
    name: &'static str,
    signature: &str,
) -> Result<Option<usize>, ImageError> {
    // SAFETY: per the caller.
    for e in unsafe { module.exports() } {
        // SAFETY: names and signatures are NUL-terminated literals.
        let (n, s) = unsafe { (CStr::from_ptr(e.name), CStr::from_ptr(e.signature)) };
        if e.kind == super::layout::EXPORT_FUNCTION && n.to_bytes() == name.as_bytes() {
            if s.to_bytes() != signature.as_bytes() {
                return Err(ImageError::WrongType(name));
            }
            return Ok(Some(e.address as usize));
        }
    }
    Ok(None)
}

#[derive(Default)]
struct Registry {
    by_id: HashMap<BuildId, u32>,
    images: Vec<&'static Image>,
}

fn registry() -> &'static RwLock<Registry> {
    static REGISTRY: OnceLock<RwLock<Registry>> = OnceLock::new();
    REGISTRY.get_or_init(RwLock::default)
}

/// Makes a program known under its build id.
pub fn register(id: BuildId, image: Image) {
    let mut registry = registry().write().unwrap_or_else(std::sync::PoisonError::into_inner);
    if registry.by_id.contains_key(&id) {
        return;
    }
    registry.images.push(Box::leak(Box::new(image)));
    let handle = registry.images.len() as u32;
    registry.by_id.insert(id, handle);
}

/// Handle (from 1) of the program with this build id.
pub fn find(id: &BuildId) -> Option<u32> {
    let registry = registry().read().unwrap_or_else(std::sync::PoisonError::into_inner);
    registry.by_id.get(id).copied()
}

pub fn get(handle: u32) -> Option<&'static Image> {
    let registry = registry().read().unwrap_or_else(std::sync::PoisonError::into_inner);
    registry.images.get(handle.checked_sub(1)? as usize).copied()
}
