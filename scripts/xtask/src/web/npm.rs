//! npm's packages, in `web/node_modules`: exactly those of `package-lock.json`.

use crate::context::Context;
use crate::key::KeyBuilder;
use crate::proc;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages that are installed.
pub struct Packages {
    pub node: PathBuf,
    /// Changes with any of them.
    pub key: String,
}

/// What the page is built and tested with.
pub fn install(ctx: &Context) -> Result<Packages> {
    let key = install_in(ctx, &ctx.path("web"), &[])?;
    Ok(Packages { node: ctx.path(super::NODE), key })
}

/// Nodes for processors that this machine has not: npm has to be forced.
pub fn install_processors(ctx: &Context) -> Result<()> {
    install_in(ctx, &ctx.path("web/test/processors"), &["--force"]).map(drop)
}

/// Installs what is not there as the folder's lock file says; its key.
fn install_in(ctx: &Context, folder: &Path, options: &[&str]) -> Result<String> {
    let lock = folder.join("package-lock.json");
    let key = KeyBuilder::new("npm 1").file("lock", &lock)?.finish().as_str().to_owned();
    // Written last, so an interrupted installation is begun again.
    let stamp = folder.join("node_modules/.wasmlinux");
    if fs::read_to_string(&stamp).ok().as_deref() == Some(&key) {
        return Ok(key);
    }
    ctx.progress.doing("npm ci");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--foreground-scripts"]).args(options);
    proc::logged(npm.current_dir(folder), &ctx.log("npm"), |_| ())?;
    fs::write(&stamp, &key).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(key)
}
