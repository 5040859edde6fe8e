//! libtelnet's source, patched, which the crate `libtelnet-sys` compiles.

use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::fetch::{self, Choice, Fetcher, ARCHIVE};
use crate::key::KeyBuilder;
use crate::recipe::Recipe;
use crate::source;
use anyhow::Result;
use std::fs;

/// What the crate needs of it.
const FILES: [&str; 3] = ["libtelnet.c", "libtelnet.h", "COPYING"];
const PATCHES: &str = "minitelnet/libtelnet-sys/patches";

pub fn recipe(ctx: &Context) -> Result<Recipe> {
    Recipe::load(&ctx.path("minitelnet/libtelnet-sys/libtelnet.recipe.toml"))
}

/// The entry with the files, unpacked if need be.
pub fn ensure(ctx: &Context, fetcher: &mut Fetcher) -> Result<Entry> {
    let recipe = recipe(ctx)?;
    let id = |choice: &Choice| -> Result<Id> {
        let key = KeyBuilder::new("libtelnet 1")
            .text("recipe", &recipe.tree_key())
            .text("choice", &fetch::mark(choice))
            .text("files", &FILES.join(" "))
            .tree("patches", &ctx.path(PATCHES), |_| true)?;
        Ok(Id::new("libtelnet", &key.finish()))
    };
    if let Some(entry) = ctx.cache.get(&id(&fetcher.choice(&recipe))?) {
        return Ok(entry);
    }
    let (choice, archive) = fetcher.fetch(&recipe)?;
    ctx.cache.ensure(&id(&choice)?, |making| {
        let (tree, log) = (making.work.join("libtelnet"), ctx.log("libtelnet"));
        source::unpack(&archive.path(ARCHIVE), &recipe.exclude, &tree, &log)?;
        source::patch(&tree, &ctx.path(PATCHES), &log)?;
        for file in FILES {
            fs::copy(tree.join(file), making.out.join(file))?;
        }
        Ok(())
    })
}
