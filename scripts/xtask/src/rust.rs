//! Guest tests in Rust: `no_std` programs with `alloc`, over our libc.
//!
//! The target's `core` and `alloc` are compiled from the sources that belong to
//! the compiler; `scripts/setup` sees to a pair of both.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::key::KeyBuilder;
use crate::{proc, sdk, userland};
use anyhow::{bail, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

pub fn tests(ctx: &Context, sysroot: &Entry) -> Result<Entry> {
    let rustc = compiler()?;
    let key = KeyBuilder::new("rust tests 1")
        .tree("tests", &ctx.path("userland/tests"), |path| {
            path.extension().is_some_and(|e| e == "rs") || path.ends_with("rust.sh")
        })?
        .text("sysroot", &sysroot.contents())
        .tool(&rustc)?;
    let key = sdk::key(ctx, key)?.finish();
    ctx.cache.ensure(&Id::new("tests-rust", &key), |making| {
        ctx.progress.doing("compiling core and alloc");
        let mut script = sdk::script(ctx, "userland/tests/rust.sh");
        script.env("WASMLINUX_SYSROOT", sysroot.dir()).env("RUSTC", &rustc);
        script.args([&making.work, &making.out]).args(userland::test_sources(ctx, "rs")?);
        proc::logged(&mut script, &ctx.log("tests-rust"), |_| ())
    })
}

/// A compiler that has its library's sources beside it, as `scripts/rust` looks
/// for one.
pub fn compiler() -> Result<String> {
    let versioned = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let versioned = versioned.map(|entry| entry.path().join("bin/rustc"));
    let versioned = versioned.filter(|path| path.to_string_lossy().starts_with("/usr/lib/rust-1."));
    let places = [PathBuf::from("rustc"), PathBuf::from("/usr/bin/rustc")];
    match places.into_iter().chain(versioned).find(|rustc| has_sources(rustc)) {
        Some(rustc) => Ok(rustc.to_string_lossy().into_owned()),
        None => bail!(
            "no Rust compiler has its library's sources: run \"scripts/setup test\", or \"rustup component add rust-src\""
        ),
    }
}

fn has_sources(rustc: &Path) -> bool {
    let Ok(output) = Command::new(rustc).args(["--print", "sysroot"]).output() else {
        return false;
    };
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    sysroot.join("lib/rustlib/src/rust/library/core/src/lib.rs").is_file()
}
