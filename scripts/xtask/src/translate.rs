//! From a module to native code: wasm2c, then clang on every core, then an
//! archive that the runner links.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::key::KeyBuilder;
use crate::proc;
use anyhow::{anyhow, Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use wasm2c::{HeadSlot, Mode, Options};

const CC: &str = "clang-19";
const AR: &str = "llvm-ar-19";

/// The host operations that are C inlines in the kernel's own code.
const NATIVE: &str = "lkl/native.h";

/// Enough files for many cores; few enough that their headers do not count.
/// Fixed, so that the result does not depend on the machine.
const FILES: usize = 16;

/// `libkernel.a`: the instance lies below the kernel's memory, host operations
/// are C functions of the engine.
pub fn kernel(ctx: &Context, kernel: &Entry) -> Result<Entry> {
    let header = ctx.path(NATIVE);
    let mut options = Options::new("kernel");
    options.mode = Mode::Base;
    options.colocated = true;
    options.files = FILES;
    options.direct.insert("host".into(), "host_".into());
    // The engine turns it to the task's kernel stack at each entry.
    options.pinned.insert("__stack_pointer".into(), HeadSlot::StackPointer);
    options.header = header.file_name().map(|name| name.to_string_lossy().into_owned());
    library(ctx, &kernel.path("kernel.wasm"), &options, Some(&header))
}

/// `libbusybox.a`: a program that may fork and be interrupted anywhere.
pub fn busybox(ctx: &Context, busybox: &Entry) -> Result<Entry> {
    let options = Options { files: FILES, ..Options::program("busybox") };
    library(ctx, &busybox.path("busybox.wasm"), &options, None)
}

fn library(
    ctx: &Context,
    module: &Path,
    options: &Options,
    header: Option<&Path>,
) -> Result<Entry> {
    let name = format!("lib{}", options.name);
    let wasm = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let mut key = KeyBuilder::new("library 1")
        .part("module", &wasm)
        .text("options", &format!("{options:?}"))
        .text("flags", &wasm2c::CFLAGS.join(" "))
        // The translator itself: what it is built from.
        .tree("translator", &ctx.path("wasm2c/src"), |_| true)?
        .tree("runtime", &ctx.path("wasm2c/include"), |_| true)?
        .tool(CC)?;
    if let Some(header) = header {
        key = key.file("header", header)?;
    }
    ctx.cache.ensure(&Id::new(&name, &key.finish()), |making| {
        ctx.progress.doing("translating to C");
        let output = wasm2c::translate(&wasm, options)
            .map_err(|error| anyhow!("{} cannot be translated: {error}", module.display()))?;
        let runtime = wasm2c::RUNTIME.iter().filter(|(name, _)| name.ends_with(".h"));
        for (name, text) in runtime {
            fs::write(making.work.join(name), text)?;
        }
        if let Some(header) = header {
            fs::copy(header, making.work.join(header.file_name().expect("a file")))?;
        }
        for file in &output.files {
            fs::write(making.work.join(&file.name), &file.text)?;
        }
        let sources = output.files.iter().filter(|f| f.name.ends_with(".c"));
        // The longest first, so that no core waits for one at the end.
        let mut sources: Vec<_> = sources.map(|f| (f.text.len(), f.name.as_str())).collect();
        sources.sort_by_key(|(len, name)| (std::cmp::Reverse(*len), *name));
        let sources: Vec<_> = sources.into_iter().map(|(_, name)| name).collect();
        let log = ctx.log(&name);
        let objects = compile(ctx, &making.work, &sources, &log)?;
        if options.mode == Mode::Gs {
            // fork copies host stacks: no frame of a program may hold an address.
            wasm2c::prove_frames(&objects, "")?;
        }
        archive(&making.work, objects, &making.out.join(format!("{name}.a")), &log)
    })
}

/// Compiles the files in `dir`, as many at once as there are cores.
fn compile(ctx: &Context, dir: &Path, sources: &[&str], log: &Path) -> Result<Vec<PathBuf>> {
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let progress =
        || ctx.progress.count("compiling C file", done.load(Ordering::Relaxed), sources.len());
    let work = || {
        while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut cc = Command::new(CC);
            cc.args(wasm2c::CFLAGS).args(["-c", source, "-o", &object(source)]).current_dir(dir);
            if let Err(error) = proc::logged(&mut cc, log, |_| ()) {
                // The others end after what they have begun.
                next.store(sources.len(), Ordering::Relaxed);
                failed.lock().unwrap().get_or_insert(error);
            }
            done.fetch_add(1, Ordering::Relaxed);
            progress();
        }
    };
    progress();
    std::thread::scope(|scope| {
        for _ in 0..ctx.jobs.min(sources.len()) {
            scope.spawn(work);
        }
    });
    match failed.into_inner().unwrap() {
        Some(error) => Err(error),
        None => Ok(sources.iter().map(|source| dir.join(object(source))).collect()),
    }
}

fn object(source: &str) -> String {
    Path::new(source).with_extension("o").to_string_lossy().into_owned()
}

fn archive(dir: &Path, mut objects: Vec<PathBuf>, to: &Path, log: &Path) -> Result<()> {
    // Sorted, and with no times in it: the same objects give the same bytes.
    objects.sort();
    let mut ar = Command::new(AR);
    ar.arg("rcsD").arg(to).args(&objects).current_dir(dir);
    proc::logged(&mut ar, log, |_| ())
}
