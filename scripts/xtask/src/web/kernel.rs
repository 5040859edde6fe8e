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
use std::ffi::OsStr;
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
        let work = |name: &str| making.work.join(name);
        let run = |script: &str, args: &[&OsStr]| {
            let mut node = Command::new(&packages.node);
            node.arg(web.join("bundle").join(script)).args(args);
            proc::logged(node.current_dir(&web), &ctx.log("halves"), |_| ())
        };

        ctx.progress.doing("booting it");
        let (code_file, data_file) = (work("code.wasm"), work("data.wasm"));
        fs::write(&code_file, &code)?;
        fs::write(&data_file, &data)?;
        let (memory, clock) = (work("memory"), work("clock"));
        let files = [made.dir(), &code_file, &data_file, &memory, &clock];
        run("image.ts", &files.map(OsStr::new))?;
        let clock = fs::read_to_string(clock)?.trim().parse()?;
        let booted = image::booted(&fs::read(memory)?, clock)?;

        ctx.progress.doing("working with it");
        let booted_file = work("booted.wasm");
        fs::write(&booted_file, &booted)?;
        let busybox = fs::read(made.path(parts::BUSYBOX))?;
        let [marked_kernel, marked_busybox] = [("kernel", &code), ("busybox", &busybox)].map(
            |(name, whole)| -> Result<(PathBuf, PathBuf)> {
                let (module, functions) = marks::mark(whole).with_context(|| name)?;
                let file = work(&format!("marked-{name}.wasm"));
                fs::write(&file, module)?;
                ensure!(functions <= 65536, "{name} has more functions than there are marks");
                Ok((file, work(&format!("called-{name}"))))
            },
        );
        let [(kernel, kernel_calls), (busybox_file, busybox_calls)] =
            [marked_kernel?, marked_busybox?];
        let files = [
            made.dir(),
            host.dir(),
            &booted_file,
            &kernel,
            &kernel_calls,
            &busybox_file,
            &busybox_calls,
        ];
        run("profile.ts", &files.map(OsStr::new))?;

        let kernel = halves::split(&code, &numbers(&kernel_calls)?)?;
        let busybox = halves::split_program(&busybox, &numbers(&busybox_calls)?)?;
        let all = [kernel.first, kernel.rest, data, booted, busybox.first, busybox.rest];
        for (name, bytes) in NAMES.iter().zip(all) {
            fs::write(making.out.join(name), bytes)?;
        }
        Ok(())
    })
}

/// What is in a file, one a line.
fn numbers(file: &Path) -> Result<BTreeSet<u32>> {
    Ok(fs::read_to_string(file)?.lines().map(str::parse).collect::<Result<_, _>>()?)
}
