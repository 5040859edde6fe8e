//! What runs in user mode: the libc with its headers (sysroot), BusyBox, the
//! root file system, the guest test programs.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::fetch::{self, Choice, Fetcher, ARCHIVE};
use crate::key::{files_below, KeyBuilder};
use crate::recipe::Recipe;
use crate::{proc, sdk, source};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Object files of each, for the progress line.
const MUSL_OBJECTS: usize = 1340;
const BUSYBOX_OBJECTS: usize = 700;

pub fn recipes(ctx: &Context) -> Result<[Recipe; 2]> {
    let load = |path| Recipe::load(&ctx.path(path));
    Ok([load("userland/musl/musl.recipe.toml")?, load("userland/busybox/busybox.recipe.toml")?])
}

/// musl and the kernel's user headers: `include/`, `lib/`.
pub fn sysroot(ctx: &Context, fetcher: &mut Fetcher, kernel: &Entry) -> Result<Entry> {
    let [recipe, _] = recipes(ctx)?;
    let id = |choice: &Choice| -> Result<Id> {
        let key = sdk::library_key(ctx, part(ctx, "userland/musl", &recipe, choice)?)?;
        Ok(Id::new("sysroot", &key.text("uapi", &kernel.contents_of("uapi/")).finish()))
    };
    let make = |archive: &Entry, work: &Path, out: &Path| {
        let log = ctx.log("sysroot");
        let tree = work.join("musl");
        source::unpack(&archive.path(ARCHIVE), &recipe.exclude, &tree, &log)?;
        let _polling = sdk::count_objects(ctx, work, MUSL_OBJECTS);
        let mut script = sdk::script(ctx, "userland/musl/build.sh");
        // The script builds in a copy of the tree in TMPDIR.
        script.args([&tree, out, &kernel.path("uapi/include")]).env("TMPDIR", work);
        proc::logged(&mut script, &log, |_| ())
    };
    from_source(ctx, fetcher, &recipe, id, make)
}

/// `busybox.wasm` and `busybox.links`.
pub fn busybox(ctx: &Context, fetcher: &mut Fetcher, sysroot: &Entry) -> Result<Entry> {
    let [_, recipe] = recipes(ctx)?;
    let id = |choice: &Choice| -> Result<Id> {
        let key = sdk::key(ctx, part(ctx, "userland/busybox", &recipe, choice)?)?;
        Ok(Id::new("busybox", &key.text("sysroot", &sysroot.contents()).finish()))
    };
    let make = |archive: &Entry, work: &Path, out: &Path| {
        let log = ctx.log("busybox");
        let tree = work.join("busybox");
        source::unpack(&archive.path(ARCHIVE), &recipe.exclude, &tree, &log)?;
        source::patch(&tree, &ctx.path("userland/busybox/patches"), &log)?;
        ctx.progress.doing("configuring");
        let mut script = sdk::script(ctx, "userland/busybox/build.sh");
        script.args([&tree, sysroot.dir(), out]).env("WASMLINUX_SYSROOT", sysroot.dir());
        let _polling = sdk::count_objects(ctx, work, BUSYBOX_OBJECTS);
        script.env("TMPDIR", work);
        proc::logged(&mut script, &log, |_| ())
    };
    from_source(ctx, fetcher, &recipe, id, make)
}

/// The guest test programs: `NAME.wasm` each.
pub fn tests(ctx: &Context, sysroot: &Entry) -> Result<Entry> {
    let c = |path: &Path| path.extension().is_some_and(|e| e == "c" || e == "h" || e == "sh");
    let key = KeyBuilder::new("tests 2").tree("tests", &ctx.path("userland/tests"), c)?;
    let key = sdk::key(ctx, key)?.text("sysroot", &sysroot.contents()).finish();
    ctx.cache.ensure(&Id::new("tests", &key), |making| {
        ctx.progress.doing("compiling");
        let mut script = sdk::script(ctx, "userland/tests/build.sh");
        script.args([sysroot.dir(), &making.out]).args(test_sources(ctx, "c")?);
        proc::logged(&mut script, &ctx.log("tests"), |_| ())
    })
}

/// The guest tests in one language, by file name.
pub fn test_sources(ctx: &Context, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = files_below(&ctx.path("userland/tests"))?;
    files.retain(|file| file.extension().is_some_and(|e| e == extension));
    Ok(files)
}

/// The archive is fetched only if the entry has to be made.
pub fn from_source(
    ctx: &Context,
    fetcher: &mut Fetcher,
    recipe: &Recipe,
    id: impl Fn(&Choice) -> Result<Id>,
    make: impl FnOnce(&Entry, &Path, &Path) -> Result<()>,
) -> Result<Entry> {
    if let Some(entry) = ctx.cache.get(&id(&fetcher.choice(recipe))?) {
        return Ok(entry);
    }
    let (choice, archive) = fetcher.fetch(recipe)?;
    ctx.cache.ensure(&id(&choice)?, |making| make(&archive, &making.work, &making.out))
}

fn part(ctx: &Context, dir: &str, recipe: &Recipe, choice: &Choice) -> Result<KeyBuilder> {
    KeyBuilder::new("userland 1")
        .text("recipe", &recipe.tree_key())
        .text("choice", &fetch::mark(choice))
        .tree(dir, &ctx.path(dir), no_prose)
}

/// The recipe counts by what it says, see [`Recipe::tree_key`].
pub fn no_prose(path: &Path) -> bool {
    path.extension().is_none_or(|e| e != "md" && e != "toml")
}
