//! `host.js` and `host.wasm`: the Rust side of a page's host (`web/host`), by
//! Emscripten. The standard library is compiled anew, for size; its sources belong to
//! the compiler, as for the guest's tests in Rust.

use super::emscripten::Tools;
use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::key::KeyBuilder;
use crate::userland::no_prose;
use crate::{proc, rust, sdk};
use anyhow::{bail, Context as _, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

pub const NAMES: [&str; 2] = ["host.js", "host.wasm"];

const TARGET: &str = "wasm32-unknown-emscripten";
/// Crates that it is made of.
const CRATES: [&str; 6] =
    ["web/host", "runner", "miniio", "minitelnet", "lkl/hostabi", "userland/rootfs"];
/// The first Rust whose compiler, not its library, is told to leave out the texts of
/// panics.
const IMMEDIATE_ABORT: u32 = 92;

/// What emcc is to make: a factory, without files, of the functions that `exports.rs`
/// lists. It is not asked to optimise, which takes a parser of JavaScript; wasm-opt does
/// the one half afterwards, the bundler the other.
const LINK: [&str; 21] = [
    "--no-entry",
    "-O1",
    "-nostdlib",
    "-lbulkmemory",
    "-lstubs",
    "-lnoexit",
    "-lc",
    "-lemmalloc",
    "-lcompiler_rt",
    "-lc",
    "-sMODULARIZE",
    "-sEXPORT_ES6",
    // Neither a window nor a worker's own loader is used: node runs it, too.
    "-sENVIRONMENT=web",
    "-sFILESYSTEM=0",
    "-sALLOW_MEMORY_GROWTH",
    // Nothing of it is to be changed after the linker.
    "-sWASM_BIGINT",
    "-sINITIAL_HEAP=1MB",
    "-sSTACK_SIZE=128KB",
    "-sINCOMING_MODULE_JS_API=instantiateWasm",
    "-sEXPORTED_RUNTIME_METHODS=HEAPU8",
    "-sASSERTIONS=0",
];

const OPTIMISE: [&str; 10] = [
    "-Oz",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-multivalue",
    "--enable-reference-types",
];

pub fn ensure(ctx: &Context, tools: &Tools, telnet: &Entry) -> Result<Entry> {
    let rustc = rust::compiler()?;
    let mut key = KeyBuilder::new("web host 1")
        .text("link", &LINK.concat())
        .text("optimise", &OPTIMISE.concat())
        .text("emscripten", &tools.entry.contents())
        .text("libtelnet", &telnet.contents())
        .file("crates", &ctx.path("Cargo.lock"))?
        .file("profile", &ctx.path("Cargo.toml"))?
        .tool(&rustc)?
        .tool("clang-19")?;
    for name in CRATES {
        let is_code = |path: &Path| {
            no_prose(path) && !path.starts_with("tests") && !path.starts_with("benches")
        };
        key = key.tree(name, &ctx.path(name), is_code)?;
        key = key.file(name, &ctx.path(name).join("Cargo.toml"))?;
    }
    ctx.cache.ensure(&Id::new("web-host", &key.finish()), |making| {
        let library = compile(ctx, tools, telnet, &rustc, &making.work)?;
        ctx.progress.doing("linking");
        let log = ctx.log("web-host");
        let mut emcc = tools.emcc(&making.work)?;
        emcc.arg(library).arg("-o").arg(making.work.join("host.js")).args(LINK);
        emcc.arg(format!("-sEXPORTED_FUNCTIONS={}", exports(ctx)?));
        proc::logged(&mut emcc, &log, |_| ())?;
        fs::copy(making.work.join("host.js"), making.out.join("host.js"))?;
        ctx.progress.doing("optimising");
        let mut opt = tools.wasm_opt();
        opt.args(OPTIMISE).arg(making.work.join("host.wasm"));
        opt.arg("-o").arg(making.out.join("host.wasm"));
        proc::logged(&mut opt, &log, |_| ())
    })
}

/// The static library of the crate and all below it. What Cargo has made already stays
/// in the target directory: the standard library takes most of the time.
fn compile(
    ctx: &Context,
    tools: &Tools,
    telnet: &Entry,
    rustc: &str,
    work: &Path,
) -> Result<std::path::PathBuf> {
    let guest = work.join("guest");
    fs::create_dir(&guest)?;
    std::os::unix::fs::symlink(telnet.dir(), guest.join("libtelnet"))?;
    let target = ctx.target().join("web-host");
    let (flags, feature) = match minor(rustc)? >= IMMEDIATE_ABORT {
        true => ("-Zunstable-options -Cpanic=immediate-abort", ""),
        false => ("", ",panic_immediate_abort"),
    };
    let sysroot = tools.sysroot();
    let mut cargo = sdk::cargo(ctx);
    cargo
        .args(["rustc", "--package", "wasmlinux-web", "--lib", "--crate-type", "staticlib"])
        .args(["--profile", "web", "--target", TARGET, "--target-dir"])
        .arg(&target)
        .arg("-Zbuild-std=std,panic_abort")
        .arg(format!("-Zbuild-std-features=optimize_for_size{feature}"))
        .env("RUSTC", rustc)
        // Its library is compiled as upstream allows it to upstream.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", flags)
        .env("WASMLINUX_GUEST", &guest)
        .env("CC_wasm32_unknown_emscripten", "clang-19")
        .env("AR_wasm32_unknown_emscripten", "llvm-ar-19")
        .env("CFLAGS_wasm32_unknown_emscripten", format!("-Oz --sysroot={}", sysroot.display()));
    proc::logged(&mut cargo, &ctx.log("web-host"), |line| {
        if let Some(what) = line.trim_start().strip_prefix("Compiling ") {
            ctx.progress.doing(&format!("compiling {what}"));
        }
    })?;
    Ok(target.join(TARGET).join("web/libwasmlinux_web.a"))
}

/// `rustc 1.96.0 (...)` is 96.
fn minor(rustc: &str) -> Result<u32> {
    let version = proc::output(Command::new(rustc).arg("--version"))?;
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok());
    minor.with_context(|| format!("{rustc} has no version that is known here: {version}"))
}

/// The C functions, as emcc wants them.
fn exports(ctx: &Context) -> Result<String> {
    let source = fs::read_to_string(ctx.path("web/host/src/exports.rs"))?;
    let names = source.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("pub extern \"C\" fn ")?.split_once('(')?;
        Some(format!("_{name}"))
    });
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        bail!("exports.rs exports nothing");
    }
    Ok(names.join(","))
}
