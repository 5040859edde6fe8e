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

pub fn ensure(ctx: &Context, parts: &Entry, host: &Entry, packages: &Packages) -> Result<Entry> {
    let web = ctx.path("web");
    let key = KeyBuilder::new("web page 1")
        .tree("src", &web.join("src"), no_prose)?
        .tree("static", &web.join("static"), |_| true)?
        .tree("bundle", &web.join("bundle"), no_prose)?
        .text("parts", &parts.contents())
        .text("host", &host.contents())
        .text("packages", &packages.key);
    ctx.cache.ensure(&Id::new("web-page", &key.finish()), |making| {
        ctx.progress.doing("bundling");
        let mut node = Command::new(&packages.node);
        node.arg(web.join("bundle/main.ts")).args([parts.dir(), host.dir(), &making.out]);
        proc::logged(node.current_dir(&web), &ctx.log("page"), |_| ())
    })
}
