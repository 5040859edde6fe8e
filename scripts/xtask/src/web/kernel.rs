//! The two halves of a page's kernel: `kernel.wasm`, which is all that boot, prompt and
//! the first commands call, and `kernel-rest.wasm`.
//!
//! What they call is found by calling it: `web/bundle/profile.ts` works with a machine
//! whose kernel takes note. Two runs need not find the same, as interrupts come when
//! they come; the first one for given sources is kept in the cache.

use super::npm::Packages;
use super::{halves, marks, module};
use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::key::KeyBuilder;
use crate::pipeline::Modules;
use crate::proc;
use crate::userland::no_prose;
use anyhow::{Context as _, Result};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

/// What [`ensure`] makes, as `web/build` has it.
pub const NAMES: [&str; 2] = ["kernel.wasm", "kernel-rest.wasm"];

pub fn ensure(
    ctx: &Context,
    modules: &Modules,
    parts: &Entry,
    host: &Entry,
    packages: &Packages,
) -> Result<Entry> {
    let web = ctx.path("web");
    // What the profile is of; the page and its worker do not run.
    let mut key = KeyBuilder::new("web kernel 1")
        .text("kernel", &modules.kernel.contents_of("kernel.wasm"))
        .text("parts", &parts.contents())
        .text("host", &host.contents())
        .text("packages", &packages.key)
        .file("profile", &web.join("bundle/profile.ts"))?;
    for file in ["halves.rs", "halves/module.rs", "marks.rs", "module.rs"] {
        key = key.file(file, &ctx.path("scripts/xtask/src/web").join(file))?;
    }
    for part in ["engine", "host", "disk", "worker"] {
        key = key.tree(part, &web.join("src").join(part), no_prose)?;
    }
    ctx.cache.ensure(&Id::new("web-kernel", &key.finish()), |making| {
        let kernel = fs::read(modules.kernel.path("kernel.wasm"))?;
        let kernel = module::strip(&kernel).context("kernel.wasm")?;
        let marked = making.work.join("marked.wasm");
        let (module, functions) = marks::mark(&kernel)?;
        fs::write(&marked, module)?;

        ctx.progress.doing("running it");
        let called = making.work.join("called");
        let mut node = Command::new(&packages.node);
        node.arg(web.join("bundle/profile.ts")).args([parts.dir(), host.dir(), &marked]);
        node.args([marks::MARKS, functions].map(|n| n.to_string())).arg(&called);
        proc::logged(node.current_dir(&web), &ctx.log("halves"), |_| ())?;
        let called = fs::read_to_string(called)?;
        let called = called.lines().map(str::parse).collect::<Result<BTreeSet<u32>, _>>()?;

        let halves = halves::split(&kernel, &called)?;
        for (name, bytes) in NAMES.iter().zip([halves.first, halves.rest]) {
            fs::write(making.out.join(name), bytes)?;
        }
        Ok(())
    })
}
