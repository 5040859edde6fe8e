//! What every step needs: the places, the cache, the progress line.

use crate::cache::Cache;
use crate::proc;
use crate::progress::Progress;
use anyhow::{bail, Result};
use std::env;
use std::path::{Path, PathBuf};
use std::thread;

pub struct Context {
    /// The repository.
    pub root: PathBuf,
    pub cache: Cache,
    pub progress: Progress,
    /// Where Cargo puts programs: beside this one.
    pub bin: PathBuf,
    /// Programs to run at once.
    pub jobs: usize,
}

impl Context {
    pub fn new(progress: Progress) -> Result<Context> {
        Ok(Context {
            root: root(),
            cache: Cache::open(&progress)?,
            progress,
            bin: env::current_exe()?.parent().expect("a file").into(),
            jobs: thread::available_parallelism().map_or(1, |n| n.get()),
        })
    }

    /// Begins a step of the plan; gives the context of errors in it.
    pub fn step(&self, name: &'static str) -> impl Fn() -> String + Copy {
        self.progress.step(name);
        move || format!("step \"{name}\" failed")
    }

    /// A path of the repository.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Cargo's target directory.
    pub fn target(&self) -> &Path {
        self.bin.parent().expect("target/release")
    }

    /// What the runner is made of: see `guest`.
    pub fn guest(&self) -> PathBuf {
        self.target().join("guest")
    }

    /// A step's log, emptied: it shows this run only.
    pub fn log(&self, step: &str) -> PathBuf {
        let path = self.target().join("log").join(format!("{step}.log"));
        let _ = std::fs::remove_file(&path);
        path
    }

    /// Fails early, with one sentence, where a step would fail late.
    pub fn needs_room(&self, gigabytes: u64) -> Result<()> {
        let free = proc::free_bytes(self.cache.root())?;
        if free < gigabytes << 30 {
            bail!(
                "this step needs {gigabytes} GB in {}, where {:.1} GB are free: {}",
                self.cache.root().display(),
                free as f64 / f64::from(1 << 30),
                FULL_REMEDY
            );
        }
        Ok(())
    }
}

/// What to do about a full file system.
pub const FULL_REMEDY: &str =
    "free some space, run \"cargo xtask clean-cache\", or set XDG_CACHE_HOME to a roomier place";

/// The repository: cargo says where this crate is.
pub fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = here.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).into());
    here.ancestors().nth(2).expect("scripts/xtask is below the root").into()
}
