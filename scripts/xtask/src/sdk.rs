//! The SDK's tools, built by Cargo, and the build scripts that use them.

use crate::context::Context;
use crate::key::{files_below, KeyBuilder};
use crate::proc;
use crate::progress::Polling;
use anyhow::{Context as _, Result};
use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

const PACKAGE: &str = "wasmlinux-sdk";

/// Builds the SDK's tools beside this executable.
pub fn ensure(ctx: &Context) -> Result<()> {
    cargo_build(ctx, PACKAGE, "sdk")?;
    // The same program: it looks at its name.
    let cxx = ctx.bin.join("wasmlinux-c++");
    if std::fs::read_link(&cxx).is_ok() {
        return Ok(());
    }
    std::os::unix::fs::symlink("wasmlinux-cc", &cxx)
        .or_else(|e| if e.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(e) })
        .with_context(|| format!("cannot make the link {}", cxx.display()))
}

/// Adds the SDK and the compilers behind it to the key of a program.
pub fn key(ctx: &Context, key: KeyBuilder) -> Result<KeyBuilder> {
    code(ctx, key, |_| true)?.tool("clang-19")?.tool("wasm-ld-19")
}

/// The same for a library: of the SDK, what compiles, and not what links.
pub fn library_key(ctx: &Context, key: KeyBuilder) -> Result<KeyBuilder> {
    let links = ["src/finish", "src/linker.rs", "src/object.rs", "src/wasm.rs"];
    code(ctx, key, |path| !links.iter().any(|part| path.starts_with(part)))?.tool("clang-19")
}

/// The SDK counts by what it does: a comment or a test changes no program.
fn code(ctx: &Context, mut key: KeyBuilder, keep: impl Fn(&Path) -> bool) -> Result<KeyBuilder> {
    let dir = ctx.path("userland/sdk");
    for path in files_below(&dir)? {
        let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
        if path.extension().is_some_and(|e| e == "rs") && !is_test && keep(&path) {
            let text = std::fs::read_to_string(dir.join(&path))?;
            key = key.text(&format!("sdk/{}", path.display()), &without_prose(&text));
        }
    }
    key.file("sdk/Cargo.toml", &dir.join("Cargo.toml"))
}

/// Rust without the lines that are comments, and without the tests at the end.
fn without_prose(text: &str) -> String {
    let code = text.lines().take_while(|line| *line != "#[cfg(test)]");
    code.filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

/// A build script, which finds the SDK's tools in its PATH.
pub fn script(ctx: &Context, name: &str) -> Command {
    let mut paths: Vec<_> = vec![ctx.bin.clone()];
    paths.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let path: OsString = env::join_paths(paths).unwrap_or_default();
    let mut script = Command::new(ctx.path(name));
    script.env("PATH", path).env("JOBS", ctx.jobs.to_string()).env("LC_ALL", "C.UTF-8");
    script
}

/// Counts the object files below `dir` for the progress line: the builds keep
/// their output to themselves.
pub fn count_objects(ctx: &Context, dir: &Path, all: usize) -> Polling {
    fn count(dir: &Path) -> usize {
        let items = std::fs::read_dir(dir).into_iter().flatten().flatten();
        items
            .map(|item| match item.file_type() {
                Ok(kind) if kind.is_dir() => count(&item.path()),
                _ => usize::from(item.path().extension().is_some_and(|e| e == "o")),
            })
            .sum()
    }
    let dir = dir.to_path_buf();
    ctx.progress.poll("compiling object", all, move || count(&dir))
}

/// `cargo build --release` of one package, shown in the progress line.
pub fn cargo_build(ctx: &Context, package: &str, step: &str) -> Result<()> {
    let mut cargo = cargo(ctx);
    cargo.args(["build", "--release", "--package", package]);
    let mut waiting = None;
    proc::logged(&mut cargo, &ctx.log(step), |line| {
        let blocked = line.trim_start().starts_with("Blocking waiting for");
        drop(waiting.take());
        waiting = blocked.then(|| ctx.progress.waiting("another cargo"));
        if let Some(what) = line.trim_start().strip_prefix("Compiling ") {
            ctx.progress.doing(&format!("compiling {what}"));
        }
    })
}

/// Cargo, told where the guest's artefacts are.
pub fn cargo(ctx: &Context) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&ctx.root).env("WASMLINUX_GUEST", ctx.guest());
    // Set by the cargo that runs us, for us alone.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_in_the_sdk_makes_nothing_anew() {
        let code = "fn f() {\n    g(); // why\n}\n";
        let commented = "//! Doc.\nfn f() {\n    // Because.\n    g(); // why\n}\n";
        assert_eq!(without_prose(commented), without_prose(code));
        assert_eq!(without_prose(&format!("{code}#[cfg(test)]\nmod tests {{}}\n")), code);
        assert_ne!(without_prose("fn f() {}\n"), without_prose(code));
    }
}
