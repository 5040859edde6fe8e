//! A page's kernel and BusyBox:
//!
//! ```text
//!  code ─┬─ kernel.wasm        all that prompt and the first commands call
//!        └─ kernel-rest.wasm   what they do not
//!  data ─── kernel-data.wasm   what memory begins with when it boots
//!   └ run ─ kernel-booted.wasm what memory is when it has booted
//!  BusyBox ┬ busybox.wasm      all that prompt and the first commands call
//!          └ busybox-rest.wasm all of it again
//! ```
//!
//! Memory is found by booting (`web/bundle/image.ts`), and what is called by calling it:
//! `web/bundle/profile.ts` works with a machine that goes on from that memory and whose
//! kernel takes note. Two runs need not find the same, as interrupts come when they come;
//! the first one for given sources is kept in the cache.

use super::npm::Packages;
use super::{halves, image, marks, module, parts};
use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::key::KeyBuilder;
use crate::pipeline::Modules;
use crate::proc;
use crate::userland::no_prose;
use anyhow::{ensure, Context as _, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What [`ensure`] makes, as `web/build` has it.
pub const NAMES: [&str; 6] = [
    "kernel.wasm",
    "kernel-rest.wasm",
    "kernel-data.wasm",
    "kernel-booted.wasm",
    "busybox.wasm",
    "busybox-rest.wasm",
];

pub fn ensure(
    ctx: &Context,
    modules: &Modules,
    made: &Entry,
    host: &Entry,
    packages: &Packages,
) -> Result<Entry> {
    let web = ctx.path("web");
    // What the profile is of; the page and its worker do not run.
    let mut key = KeyBuilder::new("web kernel 3")
        .text("kernel", &modules.kernel.contents_of("kernel.wasm"))
        .text("parts", &made.contents())
        .text("host", &host.contents())
        .text("packages", &packages.key)
        .file("image", &web.join("bundle/image.ts"))?
        .file("modules", &web.join("bundle/modules.ts"))?
        .file("profile", &web.join("bundle/profile.ts"))?;
    for file in ["halves.rs", "halves/module.rs", "image.rs", "marks.rs", "module.rs"] {
        key = key.file(file, &ctx.path("scripts/xtask/src/web").join(file))?;
    }
    for part in ["engine", "host", "disk", "worker"] {
        key = key.tree(part, &web.join("src").join(part), no_prose)?;
    }
    ctx.cache.ensure(&Id::new("web-kernel", &key.finish()), |making| {
        let kernel = fs::read(modules.kernel.path("kernel.wasm"))?;
        let kernel = module::strip(&kernel).context("kernel.wasm")?;
        let image::Parts { code, data } = image::part(&kernel).context("kernel.wasm")?;
        let busybox = fs::read(made.path(parts::BUSYBOX))?;
        let trials = Trials { ctx, packages, parts: made.dir(), work: &making.work };

        ctx.progress.doing("booting it");
        let booted = trials.boot(&code, &data)?;
        ctx.progress.doing("working with it");
        let (in_kernel, in_busybox) = trials.work(host.dir(), &booted, &code, &busybox)?;

        let kernel = halves::split(&code, &in_kernel)?;
        let busybox = halves::split_program(&busybox, &in_busybox)?;
        let all = [kernel.first, kernel.rest, data, booted, busybox.first, busybox.rest];
        for (name, bytes) in NAMES.iter().zip(all) {
            fs::write(making.out.join(name), bytes)?;
        }
        Ok(())
    })
}

/// Machines that run under node, to see what they do.
struct Trials<'a> {
    ctx: &'a Context,
    packages: &'a Packages,
    /// The other parts of a machine.
    parts: &'a Path,
    work: &'a Path,
}

impl Trials<'_> {
    /// The memory of a machine that is about to begin its init, as a module.
    fn boot(&self, code: &[u8], data: &[u8]) -> Result<Vec<u8>> {
        let code = self.file("code.wasm", code)?;
        let data = self.file("data.wasm", data)?;
        let [memory, clock] = ["memory", "clock"].map(|name| self.work.join(name));
        self.run("image.ts", &[self.parts, &code, &data, &memory, &clock])?;
        let clock = fs::read_to_string(clock)?.trim().parse()?;
        image::booted(&fs::read(memory)?, clock)
    }

    /// The functions of kernel and BusyBox that are called.
    fn work(
        &self,
        host: &Path,
        booted: &[u8],
        code: &[u8],
        busybox: &[u8],
    ) -> Result<(BTreeSet<u32>, BTreeSet<u32>)> {
        let booted = self.file("booted.wasm", booted)?;
        let kernel = self.marked("kernel", code)?;
        let busybox = self.marked("busybox", busybox)?;
        let [in_kernel, in_busybox] = ["in-kernel", "in-busybox"].map(|name| self.work.join(name));
        let args = [self.parts, host, &booted, &kernel, &in_kernel, &busybox, &in_busybox];
        self.run("profile.ts", &args)?;
        Ok((numbers(&in_kernel)?, numbers(&in_busybox)?))
    }

    fn marked(&self, name: &str, module: &[u8]) -> Result<PathBuf> {
        let (module, functions) = marks::mark(module).with_context(|| name.to_owned())?;
        ensure!(functions <= marks::MOST, "{name} has {functions} functions: too many to mark");
        self.file(&format!("marked-{name}.wasm"), &module)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let file = self.work.join(name);
        fs::write(&file, bytes)?;
        Ok(file)
    }

    fn run(&self, script: &str, args: &[&Path]) -> Result<()> {
        let web = self.ctx.path("web");
        let mut node = Command::new(&self.packages.node);
        node.arg(web.join("bundle").join(script)).args(args);
        proc::logged(node.current_dir(web), &self.ctx.log("halves"), |_| ())
    }
}

/// What is in a file, one a line.
fn numbers(file: &Path) -> Result<BTreeSet<u32>> {
    Ok(fs::read_to_string(file)?.lines().map(str::parse).collect::<Result<_, _>>()?)
}
