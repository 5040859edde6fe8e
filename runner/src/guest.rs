//! What is added to a root file system for one machine, and what its kernel is told.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use wasmlinux_rootfs::{folders, Cpio};

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

/// An entry to add to the root file system, owned by root. A folder comes
/// before what is in it.
#[derive(Clone, Debug)]
pub struct File {
    pub path: String,
    pub node: Node,
}

#[derive(Clone, Debug)]
pub enum Node {
    Folder { mode: u32 },
    File { mode: u32, bytes: Vec<u8> },
    Link { target: String },
}

/// Our own root file system with `files` added: what the kernel gets as its initrd.
pub fn initrd(rootfs: Vec<u8>, files: &[File]) -> Result<Vec<u8>, GuestError> {
    files.iter().try_for_each(|file| check_is_seen(&file.path))?;
    append(rootfs, files)
}

/// An archive with `files` behind it, in room that the kernel unpacks as well. A
/// folder that is there already stays as it is; one that is missing above a file is
/// made, unless the archive is compressed and cannot be looked into.
pub(crate) fn append(mut archive: Vec<u8>, files: &[File]) -> Result<Vec<u8>, GuestError> {
    if !files.is_empty() {
        let mut extra = Extra::over(&archive);
        files.iter().for_each(|file| extra.add(file));
        let extra = extra.cpio.finish()?;
        // The kernel unpacks archives one after another, aligned.
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend(extra);
    }
    Ok(archive)
}

/// Below a mount point of our own root file system the boot scripts would hide it.
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
