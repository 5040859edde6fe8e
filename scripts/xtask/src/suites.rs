//! The suites of programs that others wrote (`userland/suites`): each program is
//! built from its recipe by its own build system and `wasmlinux-cc`, and its code
//! compiled once the runner is there. Built by the verbs `test` and `suites`.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::fetch::{mark, Choice, Fetcher, ARCHIVE};
use crate::guest::Placed;
use crate::key::KeyBuilder;
use crate::progress::{Progress, Step};
use crate::recipe::Recipe;
use crate::{proc, sdk, source};
use anyhow::{bail, Context as _, Error, Result};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

#[path = "../../../userland/suites/description.rs"]
#[allow(dead_code)] // the tests read the rest
mod description;

use description::Description;

const FOLDER: &str = "userland/suites";

/// Times in seconds on two cores, of those that `scripts/test` runs.
const PLAN: &[Step] =
    &[Step { name: "suites", weight: 280 }, Step { name: "their code", weight: 130 }];

struct Suite {
    name: String,
    folder: PathBuf,
    said: Description,
}

impl Suite {
    fn load(ctx: &Context, name: &str) -> Result<Suite> {
        let folder = ctx.path(FOLDER).join(name);
        let said = Description::load(&folder).map_err(Error::msg)?;
        Ok(Suite { name: name.into(), folder, said })
    }

    fn recipe(&self) -> Result<Recipe> {
        Recipe::load(&self.folder.join(&self.said.recipe))
    }
}

/// Recipes that only suites have.
pub fn recipes(ctx: &Context) -> Result<Vec<Recipe>> {
    let own = |suite: &Suite| suite.said.recipe == description::own_recipe();
    all(ctx)?.iter().filter(|suite| own(suite)).map(Suite::recipe).collect()
}

fn all(ctx: &Context) -> Result<Vec<Suite>> {
    let names = description::names(&ctx.path(FOLDER))?;
    names.iter().map(|name| Suite::load(ctx, name)).collect()
}

/// Which suites to build.
pub enum Which<'a> {
    Quick,
    All,
    Named(&'a [&'a str]),
}

/// Builds suites into the guest directory, and the native code of their
/// programs into the cache of the runner, which must have been built.
pub fn prepare(which: &Which) -> Result<Context> {
    let ctx = Context::new(Progress::new(PLAN))?;
    ctx.progress.step("suites");
    let mut fetcher = Fetcher::new(&ctx.cache, &ctx.progress, ctx.log("fetch"));
    let suites = chosen(&ctx, which)?;
    for suite in &suites {
        let failed = || format!("the suite {} cannot be built", suite.name);
        let entry = build(&ctx, &mut fetcher, suite).with_context(failed)?;
        let mut placed = Placed::guest(&ctx);
        placed.all(&entry, "", &format!("suites/{}", suite.name)).with_context(failed)?;
    }
    ctx.progress.step("their code");
    for suite in &suites {
        ctx.progress.doing(&format!("compiling {}", suite.name));
        let tree = ctx.guest().join("suites").join(&suite.name);
        let mut runner = Command::new(ctx.bin.join("wasmlinux"));
        runner.args(["run", "--memory", "512M", "--add"]).arg(tree).args(["--", "true"]);
        proc::logged(&mut runner, &ctx.log("suites"), |_| ())?;
    }
    ctx.progress.finish();
    Ok(ctx)
}

/// What was asked for and what that needs.
fn chosen(ctx: &Context, which: &Which) -> Result<Vec<Suite>> {
    let suites = all(ctx)?;
    if let Which::Named(names) = which {
        if let Some(name) = names.iter().find(|name| !suites.iter().any(|s| s.name == **name)) {
            let known: Vec<_> = suites.iter().map(|s| s.name.as_str()).collect();
            bail!("there is no suite {name}; there are {}", known.join(", "));
        }
    }
    let wanted = |suite: &&Suite| match which {
        Which::Quick => !suite.said.slow && !suite.said.tool,
        Which::All => !suite.said.tool,
        Which::Named(names) => names.contains(&suite.name.as_str()),
    };
    let mut names = BTreeSet::new();
    for suite in suites.iter().filter(wanted) {
        names.insert(suite.name.clone());
        names.extend(suite.said.needs.iter().cloned());
    }
    names.iter().map(|name| Suite::load(ctx, name)).collect()
}

/// The tree that the suite's build script makes of the sources: what the guest
/// will see in `/suite`.
fn build(ctx: &Context, fetcher: &mut Fetcher, suite: &Suite) -> Result<Entry> {
    let recipe = suite.recipe()?;
    let script = suite.folder.join("build.sh");
    let sysroot = ctx.guest().join("sysroot");
    let id = |choice: &Choice| -> Result<Id> {
        let key = KeyBuilder::new("suite 1")
            .text("recipe", &recipe.tree_key())
            .text("choice", &mark(choice))
            .file("script", &script)?
            .file("common", &ctx.path(FOLDER).join("common.sh"))?
            .file("site", &ctx.path(FOLDER).join("config.site"))?
            .tree("sysroot", &sysroot, |_| true)?;
        Ok(Id::new(&format!("suite-{}", suite.name), &sdk::key(ctx, key)?.finish()))
    };
    if let Some(entry) = ctx.cache.get(&id(&fetcher.choice(&recipe))?) {
        return Ok(entry);
    }
    let (choice, archive) = fetcher.fetch(&recipe)?;
    ctx.cache.ensure(&id(&choice)?, |making| {
        let log = ctx.log(&format!("suite-{}", suite.name));
        let tree = making.work.join("source");
        source::unpack(&archive.path(ARCHIVE), &recipe.exclude, &tree, &log)?;
        ctx.progress.doing(&format!("building {}", suite.name));
        let mut build = sdk::script(ctx, &format!("{FOLDER}/{}/build.sh", suite.name));
        build.arg(&making.out).current_dir(&tree).env("WASMLINUX_SYSROOT", &sysroot);
        proc::logged(&mut build, &log, |_| ())
    })
}
