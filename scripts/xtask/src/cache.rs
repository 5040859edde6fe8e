//! The content-addressed cache: `${XDG_CACHE_HOME:-~/.cache}/wasmlinux`.
//!
//! ```text
//! entry/NAME-KEY/   files and .manifest; appears complete, by one rename
//! lock/NAME-KEY     lock of whoever makes or replaces that entry
//! tmp/NAME-KEY.PID/ work/ and out/ while it is made
//! apt/              private apt root, with a lock of its own (see apt)
//! ```
//!
//! Lock order: a process holds at most the locks of a chain of entries that
//! depend on each other, taken from the dependent to what it needs; keys of
//! dependents contain those of their dependencies, so the order has no circle.
//! The lock of apt is taken before that of the archive it fetches.
//! A lock dies with its process: a directory in `tmp` whose lock is free has no
//! owner and is removed. Deleting the whole cache costs only time.

use crate::key::Key;
use crate::lock;
use crate::manifest::Manifest;
use crate::progress::Progress;
use anyhow::{bail, Context, Result};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Name and key of an entry.
#[derive(Clone, Debug)]
pub struct Id(String);

impl Id {
    pub fn new(name: &str, key: &Key) -> Id {
        // 96 bits keep names readable and collisions out of the question.
        Id(format!("{name}-{}", &key.as_str()[..24]))
    }
}

/// A verified entry.
#[derive(Debug)]
pub struct Entry {
    dir: PathBuf,
    manifest: Manifest,
}

impl Entry {
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The contents as text, to be part of the keys of what is made from it.
    pub fn contents(&self) -> String {
        self.manifest.to_text()
    }

    /// The same of the files whose path begins with `prefix`.
    pub fn contents_of(&self, prefix: &str) -> String {
        self.manifest.to_text_of(prefix)
    }

    /// Paths and sums of the files.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.manifest.files()
    }
}

/// Where an entry is made: scratch space, and what will become the entry.
pub struct Making {
    pub work: PathBuf,
    pub out: PathBuf,
}

/// Where the cache is, by the environment.
pub fn place() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME").filter(|v| Path::new(v).is_absolute()) {
        Some(dir) => PathBuf::from(dir),
        None => match env::var_os("HOME") {
            Some(home) => PathBuf::from(home).join(".cache"),
            None => bail!("neither XDG_CACHE_HOME nor HOME says where the cache may be"),
        },
    };
    Ok(base.join("wasmlinux"))
}

pub struct Cache {
    root: PathBuf,
    progress: Progress,
}

impl Cache {
    pub fn open(progress: &Progress) -> Result<Cache> {
        Cache::at(place()?, progress)
    }

    pub fn at(root: PathBuf, progress: &Progress) -> Result<Cache> {
        for dir in ["entry", "lock", "tmp"] {
            let dir = root.join(dir);
            fs::create_dir_all(&dir)
                .with_context(|| format!("the cache needs a writable {}", dir.display()))?;
        }
        let cache = Cache { root, progress: progress.clone() };
        cache.sweep()?;
        Ok(cache)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The entry, if it is there and as it was made. A damaged one is reported
    /// and left for `ensure` to replace.
    pub fn get(&self, id: &Id) -> Option<Entry> {
        let dir = self.root.join("entry").join(&id.0);
        if !dir.exists() {
            return None;
        }
        match Manifest::verify(&dir) {
            Ok(manifest) => Some(Entry { dir, manifest }),
            Err(damage) => {
                eprintln!("cache: {} is damaged ({damage}); it will be made again", id.0);
                None
            }
        }
    }

    /// The entry, made by `make` if need be. Two processes that want the same
    /// entry make it once.
    pub fn ensure(&self, id: &Id, make: impl FnOnce(&Making) -> Result<()>) -> Result<Entry> {
        if let Some(entry) = self.get(id) {
            return Ok(entry);
        }
        let _lock = self.lock(id)?;
        if let Some(entry) = self.get(id) {
            return Ok(entry);
        }
        let tmp = self.tmp_dir(id);
        let made = self.make_in(&tmp, make).and_then(|()| {
            let manifest = Manifest::seal(&tmp.join("out"))?;
            let dir = self.root.join("entry").join(&id.0);
            if dir.exists() {
                // Only a damaged entry is still here; it goes with the rest of tmp.
                fs::rename(&dir, tmp.join("damaged"))?;
            }
            fs::rename(tmp.join("out"), &dir)?;
            Ok(Entry { dir, manifest })
        });
        let cleaned = remove_tree(&tmp);
        let entry = made?;
        cleaned.with_context(|| format!("cannot remove {}", tmp.display()))?;
        Ok(entry)
    }

    fn make_in(&self, tmp: &Path, make: impl FnOnce(&Making) -> Result<()>) -> Result<()> {
        let making = Making { work: tmp.join("work"), out: tmp.join("out") };
        fs::create_dir_all(&making.work)?;
        fs::create_dir_all(&making.out)?;
        make(&making)
    }

    fn tmp_dir(&self, id: &Id) -> PathBuf {
        self.root.join("tmp").join(format!("{}.{}", id.0, std::process::id()))
    }

    fn lock(&self, id: &Id) -> Result<File> {
        let whom = format!("another process that makes {}", id.0);
        lock::take(&self.root.join("lock").join(&id.0), &whom, &self.progress)
    }

    /// Removes what interrupted processes left in `tmp`.
    fn sweep(&self) -> Result<()> {
        for item in fs::read_dir(self.root.join("tmp"))? {
            let item = item?;
            let name = item.file_name();
            let name = name.to_string_lossy();
            let id = name.rsplit_once('.').map_or(&*name, |(id, _)| id);
            let lock = lock::try_take(&self.root.join("lock").join(id))?;
            if lock.is_some() {
                remove_tree(&item.path())?;
            }
        }
        Ok(())
    }

    /// Removes all entries, and downloads unless `keep_sources`. Entries that
    /// are being made stay: their owner finishes them.
    pub fn clear(&self, keep_sources: bool) -> Result<()> {
        self.sweep()?;
        for item in fs::read_dir(self.root.join("entry"))? {
            let item = item?;
            if keep_sources && item.file_name().to_string_lossy().starts_with("source-") {
                continue;
            }
            remove_tree(&item.path())?;
        }
        if !keep_sources {
            for dir in ["apt", "resolved"] {
                remove_tree(&self.root.join(dir))?;
            }
        }
        Ok(())
    }

    /// Names and sizes in bytes of the entries.
    pub fn entries(&self) -> Result<Vec<(String, u64)>> {
        let mut list = Vec::new();
        for item in fs::read_dir(self.root.join("entry"))? {
            let item = item?;
            list.push((item.file_name().to_string_lossy().into_owned(), size(&item.path())?));
        }
        list.sort();
        Ok(list)
    }
}

fn size(path: &Path) -> Result<u64> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_dir() {
        return Ok(meta.len());
    }
    fs::read_dir(path)?.map(|item| size(&item?.path())).sum()
}

fn remove_tree(path: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests;
