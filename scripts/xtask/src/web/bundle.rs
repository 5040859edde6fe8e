//! `web/dist`: the page, the worker and the library in few files, the parts
//! under names that change with their contents. `web/bundle/main.ts` does it.

use super::npm::Packages;
use crate::cache::{Entry, Id};
use crate::context::Context;
use crate::key::KeyBuilder;
use crate::proc;
use crate::userland::no_prose;
use anyhow::Result;
use std::process::Command;

/// `made` are the entries that hold the machine's parts.
pub fn ensure(ctx: &Context, made: [&Entry; 3], packages: &Packages) -> Result<Entry> {
    let web = ctx.path("web");
    let mut key = KeyBuilder::new("web page 2")
        .tree("src", &web.join("src"), no_prose)?
        .tree("static", &web.join("static"), |_| true)?
        .tree("bundle", &web.join("bundle"), no_prose)?
        .text("packages", &packages.key);
    for entry in made {
        key = key.text("parts", &entry.contents());
    }
    ctx.cache.ensure(&Id::new("web-page", &key.finish()), |making| {
        ctx.progress.doing("bundling");
        let mut node = Command::new(&packages.node);
        node.arg(web.join("bundle/main.ts")).args(made.map(Entry::dir)).arg(&making.out);
        proc::logged(node.current_dir(&web), &ctx.log("page"), |_| ())
    })
}
