//! What the benchmarks need beside the runner: their programs, for the guest
//! and for the host, and a native BusyBox with the guest's libc. Built by the
//! verb `bench` alone.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::fetch::{mark, Fetcher, ARCHIVE};
use crate::key::KeyBuilder;
use crate::progress::{Progress, Step};
use crate::{pipeline, proc, sdk, source, userland, web};
use anyhow::{Context as _, Result};
use std::process::Command;

/// Times in seconds on two cores.
const PLAN: &[Step] =
    &[Step { name: "native busybox", weight: 100 }, Step { name: "rows", weight: 2 }];

/// What the rows are made of: their programs, and the native BusyBox.
struct Built {
    ctx: Context,
    programs: Entry,
    native: Entry,
}

fn build() -> Result<Built> {
    drop(pipeline::build()?);
    let ctx = Context::new(Progress::new(PLAN))?;
    let step = |name: &'static str| {
        ctx.progress.step(name);
        move || format!("step \"{name}\" failed")
    };
    let failed = step("native busybox");
    let native = native(&ctx).with_context(failed)?;
    let failed = step("rows");
    let programs = programs(&ctx, &native).with_context(failed)?;
    ctx.progress.finish();
    Ok(Built { ctx, programs, native })
}

/// Builds everything; the command that prints the table, still without a filter.
pub fn prepare() -> Result<Command> {
    let Built { ctx, programs, native } = build()?;
    let mut cargo = sdk::cargo(&ctx);
    cargo.args(["bench", "--quiet", "--package", "runner", "--bench", "table", "--"]);
    cargo.env("WASMLINUX_BENCH", programs.dir());
    cargo.env("WASMLINUX_BENCH_BUSYBOX", native.path("busybox"));
    Ok(cargo)
}

/// The same for the rows of the browser's engine.
pub fn prepare_engine() -> Result<Command> {
    let Built { ctx, programs, .. } = build()?;
    let page = web::build()?;
    let step = "instrumenter";
    sdk::cargo_build(&ctx, "wasmlinux-instrument", step)?;
    let mut node = Command::new(page.path(web::NODE));
    node.arg(page.path("web/bench/engine.ts")).env("WASMLINUX_BENCH", programs.dir());
    Ok(node)
}

/// `busybox` for the host with its libc, and `cc`, a compiler for that.
fn native(ctx: &Context) -> Result<Entry> {
    let mut fetcher = Fetcher::new(&ctx.cache, &ctx.progress, ctx.log("fetch"));
    let mut archives = Vec::new();
    let mut key = KeyBuilder::new("native busybox 1")
        .file("script", &ctx.path("userland/bench/native.sh"))?
        .tree("busybox", &ctx.path("userland/busybox"), |_| true)?
        .tool("gcc")?;
    for recipe in userland::recipes(ctx)? {
        let (choice, archive) = fetcher.fetch(&recipe)?;
        key = key.text("tree", &recipe.tree_key()).text("choice", &mark(&choice));
        archives.push((archive, recipe.exclude));
    }
    ctx.cache.ensure(&Id::new("native-busybox", &key.finish()), |making| {
        let log = ctx.log("native-busybox");
        let trees = [making.work.join("musl"), making.work.join("busybox")];
        for ((archive, exclude), tree) in archives.iter().zip(&trees) {
            source::unpack(&archive.path(ARCHIVE), exclude, tree, &log)?;
        }
        ctx.progress.doing("compiling");
        let mut script = sdk::script(ctx, "userland/bench/native.sh");
        proc::logged(script.args(&trees).arg(&making.out), &log, |_| ())
    })
}

/// Programs of rows: `NAME` for the host, `NAME.wasm` for the guest.
fn programs(ctx: &Context, native: &Entry) -> Result<Entry> {
    let sysroot = ctx.guest().join("sysroot");
    let key = KeyBuilder::new("bench 1")
        .tree("bench", &ctx.path("userland/bench"), |_| true)?
        .tree("sysroot", &sysroot, |_| true)?
        .text("native", &native.contents());
    ctx.cache.ensure(&Id::new("bench", &sdk::key(ctx, key)?.finish()), |making| {
        let mut script = sdk::script(ctx, "userland/bench/build.sh");
        script.arg(native.dir()).arg(&making.out).env("WASMLINUX_SYSROOT", &sysroot);
        proc::logged(&mut script, &ctx.log("bench"), |_| ())
    })
}
