//! What this binary carries: the built-in root file system, and programs whose code
//! is linked in.

use std::fs;
use std::path::Path;
use std::sync::Once;

use crate::engine::image::{self, BuildId, Image};
use crate::engine::layout::{Module, PAGE};
use crate::guest::{self, File, GuestError};

/// A program's code in this binary.
pub struct Linked(*const Module);

// SAFETY: a constant table.
unsafe impl Sync for Linked {}

include!(concat!(env!("OUT_DIR"), "/guest.rs"));

/// Makes the programs in this binary known to the engine.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (id, module) in PROGRAMS {
            // SAFETY: made by the translator in gs mode and linked in.
            match unsafe { Image::new(&*module.0) } {
                Ok(image) => image::register(*id, image),
                Err(e) => unreachable!("a program of this build is unusable: {e}"),
            }
        }
    });
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
pub(crate) fn initrd(
    rootfs: Option<&Path>,
    files: &[File],
) -> Result<Box<dyn AsRef<[u8]> + Send>, GuestError> {
    if rootfs.is_none() && files.is_empty() {
        return Ok(Box::new(BuiltIn));
    }
    let Some(path) = rootfs else { return Ok(Box::new(guest::initrd(ROOTFS.to_vec(), files)?)) };
    let archive = fs::read(path).map_err(|e| GuestError::Rootfs(path.to_owned(), e))?;
    if !MAGICS.iter().any(|magic| archive.starts_with(magic)) {
        return Err(GuestError::NotCpio(path.to_owned()));
    }
    Ok(Box::new(guest::append(archive, files)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::Node;
    use wasmlinux_rootfs::folders;

    fn file(path: &str) -> File {
        File { path: path.into(), node: Node::File { mode: 0o644, bytes: b"x".to_vec() } }
    }

    #[test]
    fn missing_folders_are_made_and_others_left_alone() {
        let made = initrd(None, &[file("/opt/new/deep/f"), file("/root/f")]).unwrap();
        let added = &(*made).as_ref()[ROOTFS.len()..];
        let folders = folders(added).unwrap();
        assert_eq!(
            folders.iter().map(String::as_str).collect::<Vec<_>>(),
            ["/opt/new", "/opt/new/deep"]
        );
    }

    #[test]
    fn files_that_nobody_would_see_are_refused() {
        for path in ["/tmp/f", "/proc", "/dev/shm/x"] {
            assert!(matches!(initrd(None, &[file(path)]), Err(GuestError::Hidden(..))), "{path}");
        }
        assert!(initrd(None, &[file("/tmpfile")]).is_ok());
    }

    #[test]
    fn a_path_that_is_not_absolute_is_refused() {
        assert!(matches!(initrd(None, &[file("relative")]), Err(GuestError::Add(_))));
    }
}
