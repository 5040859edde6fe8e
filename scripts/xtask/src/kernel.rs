//! kernel.wasm and the kernel's user headers, from the Linux source.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::fetch::{self, Choice, Fetcher, ARCHIVE};
use crate::key::{Key, KeyBuilder};
use crate::recipe::Recipe;
use crate::{proc, sdk, source};
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// Objects of the kernel's configuration, for the progress line.
const OBJECTS: usize = 840;

/// Room for the unpacked tree and its objects.
const GIGABYTES: u64 = 4;

pub fn recipe(ctx: &Context) -> Result<Recipe> {
    Recipe::load(&ctx.path("lkl/linux.recipe.toml"))
}

/// The entry with `kernel.wasm` and `uapi/`, made if need be.
pub fn ensure(ctx: &Context, fetcher: &mut Fetcher) -> Result<Entry> {
    let recipe = recipe(ctx)?;
    let id = |choice: &Choice| -> Result<Id> { Ok(Id::new("kernel", &key(ctx, &recipe, choice)?)) };
    // A kernel that is there needs no source.
    if let Some(entry) = ctx.cache.get(&id(&fetcher.choice(&recipe))?) {
        return Ok(entry);
    }
    let (choice, archive) = fetcher.fetch(&recipe)?;
    ctx.cache.ensure(&id(&choice)?, |making| {
        ctx.needs_room(GIGABYTES)?;
        let log = ctx.log("kernel");
        let tree = making.work.join("linux");
        let build = making.work.join("build");
        std::fs::create_dir_all(&build)?;
        ctx.progress.doing("unpacking the source");
        source::unpack(&archive.path(ARCHIVE), &recipe.exclude, &tree, &log)?;
        ctx.progress.doing("patching");
        source::patch(&tree, &ctx.path("lkl/patches"), &log)?;
        source::overlay(&tree, &ctx.path("lkl/overlay"))?;
        source::generate(&tree, Path::new(HEADER), &hostabi::c_header())?;

        ctx.progress.doing("configuring");
        let mut script = Command::new(ctx.path("lkl/build.sh"));
        script.args([&tree, &build, &making.out]).env("JOBS", ctx.jobs.to_string());
        let polling = sdk::count_objects(ctx, &build, OBJECTS);
        proc::logged(&mut script, &log, |_| ())?;
        drop(polling);
        // The objects are all there; only the headers are left.
        ctx.progress.doing("installing headers");
        let mut make = headers_install(ctx.jobs, &tree, &build, &making.out.join("uapi"));
        proc::logged(&mut make, &log, |_| ())
    })
}

/// The host interface as the kernel sees it, generated from `hostabi`.
const HEADER: &str = "arch/lkl/include/asm/lkl_host.h";

fn headers_install(jobs: usize, tree: &Path, build: &Path, to: &Path) -> Command {
    let mut make = Command::new("make");
    make.arg("-C").arg(tree).arg(format!("O={}", build.display()));
    make.args(["ARCH=lkl", "LLVM=-19", "CLANG_TARGET_FLAGS_lkl=wasm32-unknown-unknown"]);
    make.args(["HOSTCC=gcc", "headers_install"]).arg(format!("-j{jobs}"));
    make.arg(format!("INSTALL_HDR_PATH={}", to.display()));
    make
}

fn key(ctx: &Context, recipe: &Recipe, choice: &Choice) -> Result<Key> {
    let ours = |path: &Path| {
        // What Cargo builds is no part of the kernel, nor is prose, nor what is
        // compiled with its translation.
        path != Path::new("native.h")
            && !path.starts_with("hostabi")
            && path.extension().is_none_or(|e| e != "md" && e != "toml")
    };
    Ok(KeyBuilder::new("kernel 1")
        .text("recipe", &recipe.tree_key())
        .text("choice", &fetch::mark(choice))
        .text("host interface", &hostabi::c_header())
        .tree("lkl", &ctx.path("lkl"), ours)?
        .tool("clang-19")?
        .tool("wasm-ld-19")?
        .finish())
}
