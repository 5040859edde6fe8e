//! What the guest is made of: the built-in root file system and programs, and
//! what is added to them for one machine.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Once;

use wasmlinux_rootfs::Cpio;

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
    #[error("cannot read {0} to put it into the guest: {1}")]
    Read(PathBuf, #[source] io::Error),
    #[error("{0} is neither a file nor a folder nor a link; it cannot be put into the guest")]
    Special(PathBuf),
    #[error("the name of {0} is not text (UTF-8); it cannot be put into the guest")]
    Name(PathBuf),
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

/// The kernel's command line.
pub fn command_line(append: &str) -> String {
    let base = "console=ttyK0";
    if append.is_empty() {
        base.into()
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

/// Something to add to the root file system, owned by root.
#[derive(Clone, Debug)]
pub enum Addition {
    File {
        path: String,
        mode: u32,
        bytes: Vec<u8>,
    },
    HostFile {
        path: String,
        mode: u32,
        from: PathBuf,
    },
    /// A folder of the host with all that is in it, not to be written.
    HostFolder {
        path: String,
        from: PathBuf,
    },
}

impl Addition {
    fn path(&self) -> &str {
        match self {
            Addition::File { path, .. }
            | Addition::HostFile { path, .. }
            | Addition::HostFolder { path, .. } => path,
        }
    }
}

/// The root file system, `rootfs` instead of the built-in one, with `additions`.
pub fn initrd(
    rootfs: Option<&Path>,
    additions: &[Addition],
) -> Result<Box<dyn AsRef<[u8]> + Send>, GuestError> {
    if rootfs.is_none() && additions.is_empty() {
        return Ok(Box::new(BuiltIn));
    }
    let mut archive = match rootfs {
        None => ROOTFS.to_vec(),
        Some(path) => {
            let bytes = fs::read(path).map_err(|e| GuestError::Rootfs(path.to_owned(), e))?;
            if !MAGICS.iter().any(|magic| bytes.starts_with(magic)) {
                return Err(GuestError::NotCpio(path.to_owned()));
            }
            bytes
        }
    };
    if !additions.is_empty() {
        let mut adder = Adder {
            cpio: Cpio::appended(),
            folders: wasmlinux_rootfs::folders(&archive),
            mounts: if rootfs.is_none() { MOUNTS } else { &[] },
        };
        for addition in additions {
            adder = adder.add(addition)?;
        }
        let extra = adder.cpio.finish()?;
        // The kernel unpacks archives one after another, aligned.
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend(extra);
    }
    Ok(Box::new(archive))
}

/// An archive of additions being made.
struct Adder {
    cpio: Cpio,
    /// What is there to put files in; `None` when nobody can tell.
    folders: Option<BTreeSet<String>>,
    mounts: &'static [&'static str],
}

impl Adder {
    fn add(mut self, addition: &Addition) -> Result<Adder, GuestError> {
        let path = addition.path();
        let below = |mount: &str| path.strip_prefix(mount).is_some_and(|p| p.starts_with('/'));
        if let Some(mount) = self.mounts.iter().find(|m| path == **m || below(m)) {
            return Err(GuestError::Hidden(path.to_owned(), mount));
        }
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self = self.make_folders(parent);
        match addition {
            Addition::File { path, mode, bytes } => {
                self.cpio = self.cpio.file(path, *mode, bytes);
                Ok(self)
            }
            Addition::HostFile { path, mode, from } => {
                let bytes = fs::read(from).map_err(|e| GuestError::Read(from.clone(), e))?;
                self.cpio = self.cpio.file(path, *mode, &bytes);
                Ok(self)
            }
            Addition::HostFolder { path, from } => self.make_folders(path).copy(path, from),
        }
    }

    /// The folder and those above it that are not there.
    fn make_folders(mut self, path: &str) -> Adder {
        let Some(folders) = &mut self.folders else { return self };
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends.filter(|&end| end > 0) {
            if folders.insert(path[..end].to_owned()) {
                self.cpio = self.cpio.dir(&path[..end], 0o755);
            }
        }
        self
    }

    /// What is in the folder `from`, by name.
    fn copy(mut self, to: &str, from: &Path) -> Result<Adder, GuestError> {
        let read = |e| GuestError::Read(from.to_owned(), e);
        let entries = fs::read_dir(from).map_err(read)?;
        let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(read)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let host = entry.path();
            let error = |e| GuestError::Read(host.clone(), e);
            let name =
                entry.file_name().into_string().map_err(|_| GuestError::Name(host.clone()))?;
            let path = format!("{}/{name}", to.trim_end_matches('/'));
            let kind = entry.file_type().map_err(error)?;
            if kind.is_dir() {
                self = self.make_folders(&path).copy(&path, &host)?;
            } else if kind.is_symlink() {
                let target = fs::read_link(&host).map_err(error)?;
                let target = target.to_str().ok_or_else(|| GuestError::Name(host.clone()))?;
                self.cpio = self.cpio.symlink(&path, target);
            } else if kind.is_file() {
                let mode = entry.metadata().map_err(error)?.permissions().mode();
                let bytes = fs::read(&host).map_err(error)?;
                self.cpio = self.cpio.file(&path, mode & 0o555 | 0o444, &bytes);
            } else {
                return Err(GuestError::Special(host));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Addition {
        Addition::File { path: path.into(), mode: 0o644, bytes: b"x".to_vec() }
    }

    #[test]
    fn missing_folders_are_made_and_others_left_alone() {
        let made = initrd(None, &[file("/opt/new/deep/f"), file("/root/f")]).unwrap();
        let added = &(*made).as_ref()[ROOTFS.len()..];
        let folders = wasmlinux_rootfs::folders(added).unwrap();
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
    fn what_is_wrong_is_named() {
        let missing = Addition::HostFolder { path: "/d".into(), from: "/no/such/folder".into() };
        let error = initrd(None, &[missing]).err().unwrap();
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
        assert!(matches!(initrd(None, &[file("relative")]), Err(GuestError::Add(_))));
    }
}
