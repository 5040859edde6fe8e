//! `target/guest`: everything the runner is built from and tested with.
//!
//! ```text
//! kernel.wasm libkernel.a  busybox.wasm libbusybox.a  rootfs.cpio
//! busybox.config  sysroot/  tests/*.wasm  libtelnet/  stamp  suites/
//! ```
//!
//! Files are copied out of the cache, so that nothing done to them hurts it,
//! and only when they differ, so that Cargo sees a change only where one is.
//! The web build fills its folders the same way.

use crate::cache::Entry;
use crate::context::Context;
use crate::manifest::content;
use anyhow::{Context as _, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder that is filled from cache entries; what is in place, for the stamp.
pub struct Placed {
    folder: PathBuf,
    lines: Vec<String>,
}

impl Placed {
    /// `target/guest`.
    pub fn guest(ctx: &Context) -> Placed {
        Placed::below(ctx.guest())
    }

    pub fn below(folder: PathBuf) -> Placed {
        Placed { folder, lines: Vec::new() }
    }

    /// Puts the file `name` of an entry into the folder.
    pub fn file(&mut self, entry: &Entry, name: &str) -> Result<()> {
        let wanted = entry.files().find(|(path, _)| *path == Path::new(name));
        let (_, sum) = wanted.with_context(|| format!("its build made no {name}"))?;
        put(&entry.path(name), &self.folder.join(name), sum)?;
        self.lines.push(format!("{sum} {name}\n"));
        Ok(())
    }

    /// Puts all files of an entry that end with `suffix` into the directory
    /// `dir`, and removes what else ends so there.
    pub fn all(&mut self, entry: &Entry, suffix: &str, dir: &str) -> Result<()> {
        let to = self.folder.join(dir);
        fs::create_dir_all(&to)?;
        let ends = |path: &Path| path.to_string_lossy().ends_with(suffix);
        let mut keep = BTreeSet::<PathBuf>::new();
        for (path, sum) in entry.files().filter(|(path, _)| ends(path)) {
            put(&entry.path(&path.to_string_lossy()), &to.join(path), sum)?;
            self.lines.push(format!("{sum} {dir}/{}\n", path.display()));
            keep.insert(path.into());
        }
        for stale in crate::key::files_below(&to)? {
            if ends(&stale) && !keep.contains(&stale) {
                fs::remove_file(to.join(&stale))?;
            }
        }
        Ok(())
    }

    /// Writes the stamp, if it differs.
    pub fn finish(mut self) -> Result<()> {
        self.lines.sort();
        let text = self.lines.concat();
        let path = self.folder.join("stamp");
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            fs::write(&path, text)?;
        }
        Ok(())
    }
}

fn put(from: &Path, to: &Path, sum: &str) -> Result<()> {
    if content(to).is_ok_and(|now| now == sum) {
        return Ok(());
    }
    let dir = to.parent().expect("a file");
    fs::create_dir_all(dir)?;
    let name = to.file_name().expect("a file").to_string_lossy();
    let new = dir.join(format!(".{name}.{}", std::process::id()));
    let _ = fs::remove_file(&new);
    match sum.strip_prefix("-> ") {
        Some(target) => std::os::unix::fs::symlink(target, &new)?,
        None => drop(fs::copy(from, &new)?),
    }
    fs::rename(&new, to).with_context(|| format!("cannot write {}", to.display()))
}
