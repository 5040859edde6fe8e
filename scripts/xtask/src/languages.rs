//! What programs in other languages than C need, and their guest tests: libc++
//! for the SDK. Built for the tests and by the verb `build`; neither a shell
//! nor the benchmarks want it.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::fetch::{self, Choice, Fetcher, ARCHIVE};
use crate::guest::Placed;
use crate::key::KeyBuilder;
use crate::progress::{Progress, Step};
use crate::recipe::Recipe;
use crate::userland::{self, from_source, no_prose};
use crate::{proc, rust, sdk, source};
use anyhow::{Context as _, Result};
use std::path::Path;

/// Times in seconds on two cores.
const PLAN: &[Step] = &[
    Step { name: "c++", weight: 40 },
    Step { name: "c++ tests", weight: 5 },
    Step { name: "rust tests", weight: 20 },
];

/// Objects of libc++ and libc++abi, for the progress line.
const OBJECTS: usize = 85;

pub fn recipe(ctx: &Context) -> Result<Recipe> {
    Recipe::load(&ctx.path("userland/libcxx/libcxx.recipe.toml"))
}

/// Builds on what `pipeline::build` has made; the guest tests.
pub fn build(sysroot: &Entry) -> Result<Vec<Entry>> {
    let ctx = Context::new(Progress::new(PLAN))?;
    let mut placed = Placed::guest(&ctx);

    let failed = ctx.step("c++");
    let mut fetcher = Fetcher::new(&ctx.cache, &ctx.progress, ctx.log("fetch"));
    let library = library(&ctx, &mut fetcher, sysroot).with_context(failed)?;
    placed.all(&library, "", "sysroot-c++").with_context(failed)?;

    let failed = ctx.step("c++ tests");
    let cxx = tests(&ctx, sysroot, &library).with_context(failed)?;
    placed.all(&cxx, ".wasm", "tests-c++").with_context(failed)?;

    let failed = ctx.step("rust tests");
    let rust = rust::tests(&ctx, sysroot).with_context(failed)?;
    placed.all(&rust, ".wasm", "tests-rust").with_context(failed)?;

    ctx.progress.finish();
    Ok(vec![cxx, rust])
}

/// libc++, libc++abi and libunwind: `include/c++/v1`, `lib/`.
fn library(ctx: &Context, fetcher: &mut Fetcher, sysroot: &Entry) -> Result<Entry> {
    let recipe = recipe(ctx)?;
    let id = |choice: &Choice| -> Result<Id> {
        let key = KeyBuilder::new("libcxx 1")
            .text("recipe", &recipe.tree_key())
            .text("choice", &fetch::mark(choice))
            .tree("libcxx", &ctx.path("userland/libcxx"), no_prose)?
            // Nothing is linked, so the code of the libc does not matter.
            .text("headers", &sysroot.contents_of("include/"));
        Ok(Id::new("libcxx", &sdk::library_key(ctx, key)?.finish()))
    };
    let make = |archive: &Entry, work: &Path, out: &Path| {
        let log = ctx.log("libcxx");
        let tree = work.join("llvm");
        ctx.progress.doing("unpacking the source");
        source::unpack(&archive.path(ARCHIVE), &recipe.exclude, &tree, &log)?;
        let _polling = sdk::count_objects(ctx, work, OBJECTS);
        let mut script = sdk::script(ctx, "userland/libcxx/build.sh");
        script.arg(&tree).arg(sysroot.dir()).arg(out).env("TMPDIR", work);
        proc::logged(&mut script, &log, |_| ())
    };
    from_source(ctx, fetcher, &recipe, id, make)
}

/// The guest tests in C++.
fn tests(ctx: &Context, sysroot: &Entry, library: &Entry) -> Result<Entry> {
    let key = KeyBuilder::new("c++ tests 1")
        .tree("tests", &ctx.path("userland/tests"), |path| {
            path.extension().is_some_and(|e| e == "cpp" || e == "h" || e == "sh")
        })?
        .text("sysroot", &sysroot.contents())
        .text("library", &library.contents());
    let key = sdk::key(ctx, key)?.finish();
    ctx.cache.ensure(&Id::new("tests-cxx", &key), |making| {
        ctx.progress.doing("compiling");
        let mut script = sdk::script(ctx, "userland/tests/build.sh");
        script.env("WASMLINUX_SYSROOT_CXX", library.dir());
        script.args([sysroot.dir(), &making.out]).args(userland::test_sources(ctx, "cpp")?);
        proc::logged(&mut script, &ctx.log("tests-cxx"), |_| ())
    })
}
