//! The parts of a machine on a page but for the kernel: BusyBox (in one piece), root file
//! system, empty disk, glue.

use super::module;
use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::disk;
use crate::key::KeyBuilder;
use crate::pipeline::Modules;
use crate::rootfs;
use crate::userland::no_prose;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::Path;
use wasmlinux_instrument::{instrument, Exceptions, Handlers, Options};

/// All of it, of which a page gets halves: see `kernel.rs`.
pub const BUSYBOX: &str = "busybox.wasm";
/// What else [`ensure`] makes, as `web/build` has it.
pub const NAMES: [&str; 6] = [
    rootfs::IMAGE,
    disk::BLOCKS,
    "glue/access.wasm",
    "glue/cpu.wasm",
    "glue/program.wasm",
    "glue/user.wasm",
];

pub fn ensure(ctx: &Context, modules: &Modules) -> Result<Entry> {
    let disk = disk::ensure(ctx)?;
    let key = tools(ctx, "web parts 3")?
        .text("busybox", &modules.busybox.contents())
        .text("disk", &disk.contents())
        .tree("rootfs", &ctx.path("userland/rootfs"), |_| true)?
        .tree("glue", &glue(ctx), |path| path.extension().is_some_and(|e| e == "wat"))?;
    ctx.cache.ensure(&Id::new("web-parts", &key.finish()), |making| {
        let out = |name: &str, bytes: Vec<u8>| write(&making.out.join(name), &bytes);
        ctx.progress.doing("instrumenting BusyBox");
        let busybox = fs::read(modules.busybox.path("busybox.wasm"))?;
        // Its handlers set flags and jump, but never fork.
        let options = options(Handlers::NoFork);
        let busybox = instrument(&busybox, &options).context("busybox.wasm")?;
        // The engine has the module: the file system needs only what exec reads.
        let stub = module::stub(&busybox).context("busybox.wasm")?;
        let links = fs::read_to_string(modules.busybox.path("busybox.links"))?;
        out(rootfs::IMAGE, rootfs::archive(ctx, &stub, &links)?)?;
        out(BUSYBOX, module::strip(&busybox)?)?;

        out(disk::BLOCKS, fs::read(disk.path(disk::BLOCKS))?)?;
        for name in NAMES.iter().filter(|name| name.starts_with("glue/")) {
            let file = Path::new(name).with_extension("wat");
            let source = glue(ctx).join(file.file_name().expect("a file"));
            out(name, wat::parse_file(&source).context("the engine's glue")?)?;
        }
        Ok(())
    })
}

/// The guest tests of all languages, instrumented: `NAME.wasm` each.
pub fn tests(ctx: &Context, sets: &[Entry]) -> Result<Entry> {
    let mut key = tools(ctx, "web tests 1")?;
    for set in sets {
        key = key.text("set", &set.contents());
    }
    ctx.cache.ensure(&Id::new("web-tests", &key.finish()), |making| {
        let is_program = |path: &&Path| path.extension().is_some_and(|e| e == "wasm");
        for set in sets {
            for name in set.files().map(|(path, _)| path).filter(is_program) {
                ctx.progress.doing(&format!("instrumenting {}", name.display()));
                let program = fs::read(set.dir().join(name))?;
                let failed = || format!("{} cannot be instrumented", name.display());
                let made = instrument(&program, &options(Handlers::Auto)).with_context(failed)?;
                write(&making.out.join(name), &made)?;
            }
        }
        Ok(())
    })
}

fn options(handlers: Handlers) -> Options {
    // Whatever has JSPI has the standard's exceptions.
    Options { exceptions: Exceptions::Exnref, handlers, ..Options::default() }
}

/// What makes modules: the instrumenter with the crates it is built from.
fn tools(ctx: &Context, format: &str) -> Result<KeyBuilder> {
    KeyBuilder::new(format)
        .tree("instrument", &ctx.path("userland/instrument/src"), no_prose)?
        .file("instrument crates", &ctx.path("userland/instrument/Cargo.toml"))
}

fn glue(ctx: &Context) -> std::path::PathBuf {
    ctx.path("web/src/engine/glue")
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::create_dir_all(path.parent().expect("a file"))?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
