//! Archives in cpio's "newc" format, which the kernel's initramfs reads
//! (Documentation/driver-api/early-userspace/buffer-format.rst).
//!
//! The same calls give the same bytes: times are zero, inode numbers count up,
//! entries keep their order.

use std::collections::BTreeMap;

/// Longest path and symlink target the kernel takes, with the NUL.
const PATH_MAX: usize = 4096;

const S_IFDIR: u32 = 0o040_000;
const S_IFCHR: u32 = 0o020_000;
const S_IFBLK: u32 = 0o060_000;
const S_IFREG: u32 = 0o100_000;
const S_IFLNK: u32 = 0o120_000;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{0:?} is not a path below the root: absolute, without . and .., without NUL")]
    Path(String),
    #[error("{0:?} is longer than 4095 bytes")]
    TooLong(String),
    #[error("{0:?} is in the archive twice")]
    Duplicate(String),
    #[error("{path:?} comes before its folder {parent:?}, or that is no folder")]
    NoParent { path: String, parent: String },
    #[error("{0:?} has 4 GiB or more, which the format cannot say")]
    TooBig(String),
    #[error("{path:?}: mode {mode:o} has bits beyond 7777")]
    Mode { path: String, mode: u32 },
}

/// Who owns an entry; root by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

/// An archive being written. Paths are absolute; a folder comes before what is
/// in it. The first mistake is reported by [`finish`](Cpio::finish).
#[derive(Debug)]
pub struct Cpio {
    out: Vec<u8>,
    owner: Owner,
    /// Paths so far; true for a folder.
    seen: BTreeMap<String, bool>,
    /// Folders may lie in an archive unpacked earlier.
    appended: bool,
    error: Option<Error>,
}

struct Entry<'a> {
    mode: u32,
    device: (u32, u32),
    content: &'a [u8],
}

impl Default for Cpio {
    fn default() -> Self {
        Self::new()
    }
}

impl Cpio {
    /// A whole file system.
    pub fn new() -> Self {
        Cpio {
            out: Vec::new(),
            owner: Owner::default(),
            seen: BTreeMap::new(),
            appended: false,
            error: None,
        }
    }

    /// An archive to be unpacked over another: parent folders may be there.
    pub fn appended() -> Self {
        Cpio { appended: true, ..Self::new() }
    }

    /// Owner of the entries that follow.
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = owner;
        self
    }

    pub fn dir(self, path: &str, mode: u32) -> Self {
        self.entry(path, mode, Entry { mode: S_IFDIR, device: (0, 0), content: &[] })
    }

    pub fn file(self, path: &str, mode: u32, content: &[u8]) -> Self {
        self.entry(path, mode, Entry { mode: S_IFREG, device: (0, 0), content })
    }

    pub fn symlink(self, path: &str, target: &str) -> Self {
        if target.len() >= PATH_MAX || target.is_empty() || target.contains('\0') {
            return self.fail(Error::TooLong(target.into()));
        }
        self.entry(path, 0o777, Entry { mode: S_IFLNK, device: (0, 0), content: target.as_bytes() })
    }

    pub fn char_device(self, path: &str, mode: u32, major: u32, minor: u32) -> Self {
        self.entry(path, mode, Entry { mode: S_IFCHR, device: (major, minor), content: &[] })
    }

    pub fn block_device(self, path: &str, mode: u32, major: u32, minor: u32) -> Self {
        self.entry(path, mode, Entry { mode: S_IFBLK, device: (major, minor), content: &[] })
    }

    /// The archive, padded so that another may follow.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.owner = Owner::default();
        self.record("TRAILER!!!", 0, &Entry { mode: 0, device: (0, 0), content: &[] });
        Ok(self.out)
    }

    fn entry(mut self, path: &str, mode: u32, mut entry: Entry) -> Self {
        if self.error.is_some() {
            return self;
        }
        if mode > 0o7777 {
            return self.fail(Error::Mode { path: path.into(), mode });
        }
        if let Err(error) = self.admit(path, entry.mode == S_IFDIR, entry.content.len()) {
            return self.fail(error);
        }
        entry.mode |= mode;
        let inode = self.seen.len() as u32;
        self.record(&path[1..], inode, &entry);
        self
    }

    /// Checks a path and notes it.
    fn admit(&mut self, path: &str, is_dir: bool, size: usize) -> Result<(), Error> {
        let relative = path.strip_prefix('/').filter(|rest| !rest.contains('\0'));
        let good = relative
            .is_some_and(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | "..")));
        if !good {
            return Err(Error::Path(path.into()));
        }
        if path.len() > PATH_MAX {
            return Err(Error::TooLong(path.into()));
        }
        if u32::try_from(size).is_err() {
            return Err(Error::TooBig(path.into()));
        }
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let parent_is_dir =
            parent.is_empty() || self.seen.get(parent).copied().unwrap_or(self.appended);
        if !parent_is_dir {
            return Err(Error::NoParent { path: path.into(), parent: parent.into() });
        }
        match self.seen.insert(path.into(), is_dir) {
            Some(_) => Err(Error::Duplicate(path.into())),
            None => Ok(()),
        }
    }

    fn record(&mut self, name: &str, inode: u32, entry: &Entry) {
        let is_dir = entry.mode & S_IFDIR == S_IFDIR;
        let fields = [
            inode,
            entry.mode,
            self.owner.uid,
            self.owner.gid,
            if is_dir { 2 } else { 1 },
            0, // time
            entry.content.len() as u32,
            0, // device of the file system
            0,
            entry.device.0,
            entry.device.1,
            name.len() as u32 + 1,
            0, // checksum, in another variant of the format
        ];
        self.out.extend_from_slice(b"070701");
        for field in fields {
            self.out.extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(0);
        self.pad();
        self.out.extend_from_slice(entry.content);
        self.pad();
    }

    fn pad(&mut self) {
        self.out.resize(self.out.len().next_multiple_of(4), 0);
    }

    fn fail(mut self, error: Error) -> Self {
        self.error.get_or_insert(error);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpio_reads_it() {
        let archive = Cpio::new()
            .dir("/dev", 0o755)
            .char_device("/dev/console", 0o600, 5, 1)
            .owner(Owner { uid: 1000, gid: 1000 })
            .file("/hello", 0o644, b"hi\n")
            .symlink("/link", "hello")
            .finish()
            .unwrap();
        assert_eq!(&archive[..6], b"070701");
        assert_eq!(archive.len() % 4, 0);
        let text = String::from_utf8_lossy(&archive);
        assert!(text.contains("TRAILER!!!"));
        // mode, uid, gid, links, time, size of /hello
        assert!(text.contains("00000003000081A4000003E8000003E8000000010000000000000003"));
    }

    #[test]
    fn mistakes_are_reported_once_and_by_name() {
        let bad = |cpio: Cpio| cpio.finish().unwrap_err();
        assert_eq!(bad(Cpio::new().file("etc", 0o644, b"")), Error::Path("etc".into()));
        assert_eq!(bad(Cpio::new().dir("/a/../b", 0o755)), Error::Path("/a/../b".into()));
        let twice = Cpio::new().dir("/a", 0o755).dir("/a", 0o755).file("x", 0, b"");
        assert_eq!(bad(twice), Error::Duplicate("/a".into()));
        let orphan = Cpio::new().file("/a/b", 0o644, b"");
        assert!(matches!(bad(orphan), Error::NoParent { .. }));
        let below_file = Cpio::appended().file("/a", 0o644, b"").file("/a/b", 0o644, b"");
        assert!(matches!(bad(below_file), Error::NoParent { .. }));
        assert!(matches!(bad(Cpio::new().dir("/a", 0o40755)), Error::Mode { .. }));
    }

    #[test]
    fn an_appended_archive_may_use_folders_of_the_first() {
        assert!(Cpio::appended().file("/bin/tool", 0o755, b"x").finish().is_ok());
    }

    #[test]
    fn the_same_calls_give_the_same_bytes() {
        let make = || Cpio::new().dir("/a", 0o755).file("/a/b", 0o644, b"c").finish().unwrap();
        assert_eq!(make(), make());
    }
}
