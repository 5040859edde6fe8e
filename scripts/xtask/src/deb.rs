//! Debian packages as archives: what is in them, without installing them.

use crate::proc;
use anyhow::{anyhow, Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `tar`, which extracts by its arguments, on the files of `package`.
/// `to` is where they go: its disk may be full.
pub fn extract(package: &Path, tar: &mut Command, to: &Path) -> Result<()> {
    let mut dpkg = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run dpkg-deb")?;
    let status = tar.stdin(dpkg.stdout.take().expect("piped")).status();
    dpkg.wait()?;
    let status = status.context("cannot run tar")?;
    if !status.success() {
        return Err(proc::maybe_full(to, anyhow!("tar failed ({status})")));
    }
    Ok(())
}
