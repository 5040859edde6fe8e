//! What the guest is made of: the built-in root file system and programs, and
//! what is added to them for one machine.

use std::path::{Path, PathBuf};

use wasmlinux_rootfs::Cpio;

use crate::engine::image::{self, BuildId, Image};
use crate::engine::layout::{Module, PAGE};

/// A program's code in this binary.
pub struct Linked(*const Module);

// SAFETY: a constant table.
unsafe impl Sync for Linked {}

include!(concat!(env!("OUT_DIR"), "/guest.rs"));

#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    #[error("cannot read the root file system {0}: {1}")]
    Rootfs(PathBuf, #[source] std::io::Error),
    #[error("{0} is not a cpio archive (newc): make one with `cpio -o -H newc`")]
    NotCpio(PathBuf),
    #[error("cannot put a file into the guest: {0}")]
    Add(#[from] wasmlinux_rootfs::CpioError),
}

/// A file to add to the root file system, mode 0755, owned by root.
pub struct File {
    pub path: String,
    pub bytes: Vec<u8>,
}

/// Makes the programs in this binary known to the engine.
pub fn register() {
    for (id, module) in PROGRAMS {
        // SAFETY: made by the translator in gs mode and linked in.
        match unsafe { Image::new(&*module.0) } {
            Ok(image) => image::register(*id, image),
            Err(e) => unreachable!("a program of this build is unusable: {e}"),
        }
    }
}

/// The kernel's command line: `user_memory` bytes for all processes together,
/// and further parameters.
pub fn command_line(user_memory: u64, append: &str) -> String {
    let base = format!("console=ttyK0 lkl.user_memory={}K", user_memory >> 10);
    if append.is_empty() {
        base
    } else {
        format!("{base} {append}")
    }
}

const MAGICS: [&[u8]; 4] = [b"070701", b"070702", b"\x1f\x8b", b"\x28\xb5"];

/// The built-in root file system. Once it is in the guest's memory, its pages
/// of this binary need not stay in ours.
struct BuiltIn;

impl AsRef<[u8]> for BuiltIn {
    fn as_ref(&self) -> &[u8] {
        ROOTFS
    }
}

impl Drop for BuiltIn {
    fn drop(&mut self) {
        let from = (ROOTFS.as_ptr() as usize).next_multiple_of(PAGE);
        let to = (ROOTFS.as_ptr() as usize + ROOTFS.len()) & !(PAGE - 1);
        // SAFETY: whole pages of constant data, which come back from the file
        // when they are read again.
        unsafe {
            libc::madvise(from as *mut _, to.saturating_sub(from), libc::MADV_DONTNEED);
        }
    }
}

/// The root file system, `rootfs` instead of the built-in one, with `files`.
pub fn initrd(
    rootfs: Option<&Path>,
    files: &[File],
) -> Result<Box<dyn AsRef<[u8]> + Send>, GuestError> {
    if rootfs.is_none() && files.is_empty() {
        return Ok(Box::new(BuiltIn));
    }
    let mut archive = match rootfs {
        None => ROOTFS.to_vec(),
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|e| GuestError::Rootfs(path.to_owned(), e))?;
            if !MAGICS.iter().any(|magic| bytes.starts_with(magic)) {
                return Err(GuestError::NotCpio(path.to_owned()));
            }
            bytes
        }
    };
    if !files.is_empty() {
        let add = |cpio: Cpio, file: &File| cpio.file(&file.path, 0o755, &file.bytes);
        let extra = files.iter().fold(Cpio::appended(), add).finish()?;
        // The kernel unpacks archives one after another, aligned.
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend(extra);
    }
    Ok(Box::new(archive))
}
