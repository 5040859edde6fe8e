//! npm's packages, in `web/node_modules`: exactly those of `package-lock.json`.

use crate::context::Context;
use crate::key::KeyBuilder;
use crate::proc;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The packages that are installed.
pub struct Packages {
    pub node: PathBuf,
    /// Changes with any of them.
    pub key: String,
}

/// Installs what is not there as the lock file says.
pub fn install(ctx: &Context) -> Result<Packages> {
    let web = ctx.path("web");
    let lock = web.join("package-lock.json");
    let key = KeyBuilder::new("npm 1").file("lock", &lock)?.finish().as_str().to_owned();
    let packages = Packages { node: ctx.path(super::NODE), key };
    // Written last, so an interrupted installation is begun again.
    let stamp = web.join("node_modules/.wasmlinux");
    if fs::read_to_string(&stamp).ok().as_deref() == Some(&packages.key) {
        return Ok(packages);
    }
    ctx.progress.doing("npm ci");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--foreground-scripts"]).current_dir(&web);
    proc::logged(&mut npm, &ctx.log("npm"), |_| ())?;
    fs::write(&stamp, &packages.key)
        .with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(packages)
}
