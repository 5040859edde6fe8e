//! The steps in their order, each entry made from those before it.
//!
//! ```text
//! linux ─► kernel ──────────────────► kernel code ─┐
//!             └ uapi ─► sysroot ─► busybox ─► busybox code ─┼─► target/guest ─► runner
//!                          ├───────► tests ──────────────┤
//!                          └ rootfs ───────────────────────┤
//! libtelnet ────────────────────────────────────────────────┘
//! ```

use crate::cache::Entry;
use crate::context::Context;
use crate::fetch::Fetcher;
use crate::guest::Placed;
use crate::progress::{Progress, Step};
use crate::{disk, kernel, languages, rootfs, sdk, telnet, translate, userland};
use anyhow::{Context as _, Result};

/// Times in seconds of a cold build on two cores, after those of the modules.
const PLAN: &[Step] = &[
    Step { name: "rootfs", weight: 2 },
    Step { name: "disk", weight: 1 },
    Step { name: "kernel code", weight: 150 },
    Step { name: "busybox code", weight: 60 },
    Step { name: "tests", weight: 5 },
    Step { name: "libtelnet", weight: 2 },
    Step { name: "guest", weight: 2 },
    Step { name: "runner", weight: 60 },
];

/// The steps of [`modules`].
pub const MODULES: [Step; 4] = [
    Step { name: "kernel", weight: 330 },
    Step { name: "sdk", weight: 30 },
    Step { name: "sysroot", weight: 30 },
    Step { name: "busybox", weight: 60 },
];

/// What native and web machines have in common: the WebAssembly.
pub struct Modules {
    pub kernel: Entry,
    pub sysroot: Entry,
    pub busybox: Entry,
}

pub fn modules(ctx: &Context, fetcher: &mut Fetcher) -> Result<Modules> {
    let failed = ctx.step("kernel");
    let kernel = kernel::ensure(ctx, fetcher).with_context(failed)?;
    let failed = ctx.step("sdk");
    sdk::ensure(ctx).with_context(failed)?;
    let failed = ctx.step("sysroot");
    let sysroot = userland::sysroot(ctx, fetcher, &kernel).with_context(failed)?;
    let failed = ctx.step("busybox");
    let busybox = userland::busybox(ctx, fetcher, &sysroot).with_context(failed)?;
    Ok(Modules { kernel, sysroot, busybox })
}

/// Builds everything up to the runner, or reports which step failed.
pub fn build() -> Result<Context> {
    Ok(build_with_sysroot()?.0)
}

/// The same and what the tests need.
pub fn build_all() -> Result<Context> {
    let (ctx, sysroot) = build_with_sysroot()?;
    drop(languages::build(&sysroot)?);
    Ok(ctx)
}

fn build_with_sysroot() -> Result<(Context, Entry)> {
    let ctx = Context::new(Progress::new(&[&MODULES, PLAN].concat()))?;
    let mut fetcher = Fetcher::new(&ctx.cache, &ctx.progress, ctx.log("fetch"));
    let mut placed = Placed::guest(&ctx);

    let modules = modules(&ctx, &mut fetcher)?;
    let Modules { kernel, sysroot, busybox } = &modules;
    placed.file(kernel, "kernel.wasm")?;
    placed.all(sysroot, "", "sysroot")?;
    placed.file(busybox, "busybox.wasm")?;
    // Its own test suite asks what is configured.
    placed.file(busybox, "busybox.config")?;

    let failed = ctx.step("rootfs");
    let rootfs = rootfs::ensure(&ctx, busybox).with_context(failed)?;
    placed.file(&rootfs, rootfs::IMAGE).with_context(failed)?;

    let failed = ctx.step("disk");
    let disk = disk::ensure(&ctx).with_context(failed)?;
    placed.file(&disk, disk::BLOCKS).with_context(failed)?;

    let failed = ctx.step("kernel code");
    let code = translate::kernel(&ctx, kernel).with_context(failed)?;
    placed.file(&code, "libkernel.a").with_context(failed)?;

    let failed = ctx.step("busybox code");
    let code = translate::busybox(&ctx, busybox).with_context(failed)?;
    placed.file(&code, "libbusybox.a").with_context(failed)?;

    let failed = ctx.step("tests");
    let tests = userland::tests(&ctx, sysroot).with_context(failed)?;
    placed.all(&tests, ".wasm", "tests").with_context(failed)?;

    let failed = ctx.step("libtelnet");
    let telnet = telnet::ensure(&ctx, &mut fetcher).with_context(failed)?;
    placed.all(&telnet, "", "libtelnet").with_context(failed)?;

    let failed = ctx.step("guest");
    placed.finish().with_context(failed)?;

    let failed = ctx.step("runner");
    sdk::cargo_build(&ctx, "runner", "runner").with_context(failed)?;
    ctx.progress.finish();
    Ok((ctx, modules.sysroot))
}
