//! Disks: files of the host that the guest sees as block devices.
//!
//! A file belongs to one machine at a time, by a lock that ends with the process
//! (`flock`): two kernels that mount one file system destroy it. A write is in
//! the host's page cache when it returns, so it outlives the runner; a flush is
//! on the host's disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use hostabi::consts::{DISKS, DISK_READ_ONLY};

use crate::builtin::EMPTY_DISK;
use crate::engine::{self, DiskParts, Errno};

/// Bytes of a disk that is made because its file does not exist. Its file takes
/// only what is written.
pub const DISK_SIZE: u64 = 256 << 20;

const SECTOR: u64 = 512;
const EIO: Errno = -5;
const EROFS: Errno = -30;
const ENOSPC: Errno = -28;

/// Why a file cannot be a disk.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error("cannot open the disk {0}: {1}")]
    Open(PathBuf, #[source] io::Error),
    #[error("cannot make the disk {0}: {1}")]
    Make(PathBuf, #[source] io::Error),
    #[error("the disk {0} is in use by another machine")]
    InUse(PathBuf),
    #[error("{0} cannot be a disk: it is no regular file")]
    NoFile(PathBuf),
    #[error(
        "{0} cannot be a disk: its size is no multiple of {SECTOR} bytes from 1 sector to 2 TiB"
    )]
    Size(PathBuf),
    #[error("a machine has at most {DISKS} disks")]
    TooMany,
}

pub(crate) struct Disk {
    file: File,
    sectors: u32,
    read_only: bool,
}

impl Disk {
    pub fn open_all(paths: &[PathBuf]) -> Result<Vec<Box<dyn engine::Disk>>, DiskError> {
        if paths.len() > DISKS as usize {
            return Err(DiskError::TooMany);
        }
        let open = |path: &PathBuf| -> Result<Box<dyn engine::Disk>, DiskError> {
            Ok(Box::new(Disk::open(path)?))
        };
        paths.iter().map(open).collect()
    }

    fn open(path: &Path) -> Result<Disk, DiskError> {
        let (file, read_only) = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => (file, false),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Disk::make(path),
            Err(error) => match File::open(path) {
                Ok(file) => (file, true),
                Err(_) => return Err(DiskError::Open(path.into(), error)),
            },
        };
        Disk::of(path, file, read_only)
    }

    /// Beside its place first: a file that is there is a whole disk.
    fn make(path: &Path) -> Result<Disk, DiskError> {
        let failed = |error| DiskError::Make(path.into(), error);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let new = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        new.as_file().set_len(DISK_SIZE).map_err(failed)?;
        for (at, block) in blocks(EMPTY_DISK) {
            new.as_file().write_all_at(block, at).map_err(failed)?;
        }
        match new.persist_noclobber(path) {
            Ok(file) => Disk::of(path, file, false),
            // Another machine was faster.
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Disk::open(path),
            Err(e) => Err(failed(e.error)),
        }
    }

    fn of(path: &Path, file: File, read_only: bool) -> Result<Disk, DiskError> {
        let about = file.metadata().map_err(|e| DiskError::Open(path.into(), e))?;
        if !about.is_file() {
            return Err(DiskError::NoFile(path.into()));
        }
        let sectors = u32::try_from(about.len() / SECTOR).unwrap_or(0);
        if sectors == 0 || about.len() % SECTOR != 0 {
            return Err(DiskError::Size(path.into()));
        }
        // Readers may share a disk that nobody writes.
        let lock = if read_only { libc::LOCK_SH } else { libc::LOCK_EX };
        // SAFETY: an open descriptor.
        if unsafe { libc::flock(file.as_raw_fd(), lock | libc::LOCK_NB) } != 0 {
            return Err(DiskError::InUse(path.into()));
        }
        Ok(Disk { file, sectors, read_only })
    }

    fn each(
        &self,
        sector: u32,
        parts: DiskParts<'_>,
        step: impl Fn(&mut [u8], u64) -> io::Result<()>,
    ) -> Result<(), Errno> {
        let end = u64::from(self.sectors) * SECTOR;
        let mut at = u64::from(sector) * SECTOR;
        for part in parts {
            let next = at + part.len() as u64;
            if next > end {
                return Err(EIO);
            }
            step(part, at).map_err(|e| self.errno(&e))?;
            at = next;
        }
        Ok(())
    }

    /// A sparse file on a full disk of the host is out of space, too.
    fn errno(&self, error: &io::Error) -> Errno {
        log::warn!("a disk of the guest: {error}");
        match error.raw_os_error() {
            Some(libc::ENOSPC | libc::EDQUOT | libc::EFBIG) => ENOSPC,
            _ => EIO,
        }
    }
}

impl engine::Disk for Disk {
    fn sectors(&self) -> u32 {
        self.sectors
    }

    fn features(&self) -> u32 {
        if self.read_only {
            DISK_READ_ONLY
        } else {
            0
        }
    }

    fn read(&self, sector: u32, parts: DiskParts<'_>) -> Result<(), Errno> {
        self.each(sector, parts, |part, at| self.file.read_exact_at(part, at))
    }

    fn write(&self, sector: u32, parts: DiskParts<'_>) -> Result<(), Errno> {
        if self.read_only {
            return Err(EROFS);
        }
        self.each(sector, parts, |part, at| self.file.write_all_at(part, at))
    }

    fn flush(&self) -> Result<(), Errno> {
        self.file.sync_data().map_err(|e| self.errno(&e))
    }
}

const BLOCK: usize = 4096;

/// The blocks of `disk.blocks`, each with its place: a little-endian number and
/// the block itself. All others are zeros.
fn blocks(list: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    list.chunks_exact(4 + BLOCK).map(|entry| {
        let (number, block) = entry.split_at(4);
        let number = u32::from_le_bytes(number.try_into().expect("four bytes"));
        (u64::from(number) * BLOCK as u64, block)
    })
}
