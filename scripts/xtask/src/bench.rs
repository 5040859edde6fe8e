//! What the benchmarks need beside the runner: their programs, for the guest
//! and for the host, and a native BusyBox with the guest's libc. Built by the
//! verb `bench` alone.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::fetch::{mark, Fetcher, ARCHIVE};
use crate::key::KeyBuilder;
use crate::progress::{Progress, Step};
use crate::{pipeline, proc, sdk, source, userland};
use anyhow::{Context as _, Result};
use std::path::PathBuf;
use std::process::Command;

/// Times in seconds on two cores.
const PLAN: &[Step] =
    &[Step { name: "native busybox", weight: 100 }, Step { name: "rows", weight: 2 }];

pub struct Prepared {
    /// Prints the table, still without a filter.
    pub table: Command,
    /// The folder of the rows' programs.
    pub programs: PathBuf,
}

/// Builds everything but what the page's rows need.
pub fn prepare() -> Result<Prepared> {
    drop(pipeline::build()?);
    let ctx = Context::new(Progress::new(PLAN))?;
    let failed = ctx.step("native busybox");
    let native = native(&ctx).with_context(failed)?;
    let failed = ctx.step("rows");
    let programs = programs(&ctx, &native).with_context(failed)?;
    ctx.progress.finish();
    let mut table = sdk::cargo(&ctx);
    table.args(["bench", "--quiet", "--package", "runner", "--bench", "table", "--"]);
    table.env("WASMLINUX_BENCH", programs.dir());
    table.env("WASMLINUX_BENCH_BUSYBOX", native.path("busybox"));
    Ok(Prepared { table, programs: programs.dir().to_owned() })
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
