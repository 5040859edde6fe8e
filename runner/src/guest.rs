//! What the guest is made of: the built-in root file system and programs, and
//! what is added to them for one machine.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;

use wasmlinux_rootfs::{folders, Cpio};

use crate::engine::image::{self, BuildId, Image};
use crate::engine::layout::{Module, PAGE};

/// A program's code in this binary.
pub struct Linked(*const Module);

// SAFETY: a constant table.
unsafe impl Sync for Linked {}

include!(concat!(env!("OUT_DIR"), "/guest.rs"));

/// Why the guest's file system cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    #[error("cannot read the root file system {0}: {1}")]
    Rootfs(PathBuf, #[source] io::Error),
    #[error("{0} is not a cpio archive (newc): make one with `cpio -o -H newc`")]
    NotCpio(PathBuf),
    #[error("cannot put a file into the guest: {0}")]
    Add(#[from] wasmlinux_rootfs::CpioError),
    #[error("{0} would be hidden in the guest: its boot mounts a file system on {1}")]
    Hidden(String, &'static str),
}

/// Where the boot scripts mount something (`/etc/fstab` of the root file system).
const MOUNTS: &[&str] = &["/dev", "/proc", "/run", "/sys", "/tmp"];

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

/// An entry to add to the root file system, owned by root. A folder comes
/// before what is in it.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub path: String,
    pub node: Node,
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Folder { mode: u32 },
    File { mode: u32, bytes: Vec<u8> },
    Link { target: String },
}

/// The root file system, `rootfs` instead of the built-in one, with `files`.
/// A folder that is there already stays as it is; one that is missing above a
/// file is made, unless the archive is compressed and cannot be looked into.
pub(crate) fn initrd(
    rootfs: Option<&Path>,
    files: &[File],
) -> Result<Box<dyn AsRef<[u8]> + Send>, GuestError> {
    if rootfs.is_none() && files.is_empty() {
        return Ok(Box::new(BuiltIn));
    }
    let mut archive = match rootfs {
        None => {
            files.iter().try_for_each(|file| check_is_seen(&file.path))?;
            ROOTFS.to_vec()
        }
        Some(path) => {
            let bytes = fs::read(path).map_err(|e| GuestError::Rootfs(path.to_owned(), e))?;
            if !MAGICS.iter().any(|magic| bytes.starts_with(magic)) {
                return Err(GuestError::NotCpio(path.to_owned()));
            }
            bytes
        }
    };
    if !files.is_empty() {
        let mut extra = Extra::over(&archive);
        files.iter().for_each(|file| extra.add(file));
        let extra = extra.cpio.finish()?;
        // The kernel unpacks archives one after another, aligned.
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend(extra);
    }
    Ok(Box::new(archive))
}

/// What lies below a mount point would be hidden by the boot scripts.
fn check_is_seen(path: &str) -> Result<(), GuestError> {
    let below = |mount: &str| path.strip_prefix(mount).is_some_and(|p| p.starts_with('/'));
    match MOUNTS.iter().find(|mount| path == **mount || below(mount)) {
        Some(mount) => Err(GuestError::Hidden(path.to_owned(), mount)),
        None => Ok(()),
    }
}

/// An archive to be unpacked over another.
struct Extra {
    cpio: Cpio,
    /// Those that are in either.
    folders: BTreeSet<String>,
    /// The first archive cannot be looked into.
    blind: bool,
}

impl Extra {
    fn over(archive: &[u8]) -> Extra {
        let found = folders(archive);
        let blind = found.is_none();
        Extra { cpio: Cpio::appended(), folders: found.unwrap_or_default(), blind }
    }

    fn add(&mut self, file: &File) {
        let path = &file.path;
        if !self.blind {
            for (end, _) in path.match_indices('/').skip(1) {
                self.folder(&path[..end], 0o755);
            }
        }
        match &file.node {
            Node::Folder { mode } => self.folder(path, *mode),
            Node::File { mode, bytes } => self.put(|cpio| cpio.file(path, *mode, bytes)),
            Node::Link { target } => self.put(|cpio| cpio.symlink(path, target)),
        }
    }

    fn folder(&mut self, path: &str, mode: u32) {
        if self.folders.insert(path.to_owned()) {
            self.put(|cpio| cpio.dir(path, mode));
        }
    }

    fn put(&mut self, with: impl FnOnce(Cpio) -> Cpio) {
        self.cpio = with(std::mem::take(&mut self.cpio));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
