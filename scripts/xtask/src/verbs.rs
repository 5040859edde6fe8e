//! The verbs of the command line.

use crate::context::Context;
use crate::fetch::Fetcher;
use crate::progress::{Progress, Step};
use crate::recipe::Recipe;
use crate::{context, kernel, proc};
use anyhow::{Error, Result};
use std::process::ExitCode;

const USAGE: &str = "usage: xtask VERB
  fetch          get the pinned sources into the cache
  build          build everything that run and test need
";

pub fn run(args: &[String]) -> Result<ExitCode> {
    let verb = args.first().map_or("", String::as_str);
    match verb {
        "fetch" => fetch()?,
        _ => {
            eprint!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn fetch() -> Result<()> {
    let ctx = Context::new(Progress::new(&[Step { name: "sources", weight: 60 }]))?;
    ctx.progress.step("sources");
    let mut fetcher = Fetcher::new(&ctx.cache, &ctx.progress, ctx.log("fetch"));
    for path in ["/tmp/xtask/linux.toml", "/tmp/xtask/musl.toml", "/tmp/xtask/busybox.toml"] {
        let recipe = Recipe::load(std::path::Path::new(path))?;
        fetcher.forget(&recipe);
        let (choice, entry) = fetcher.fetch(&recipe)?;
        ctx.progress.note(&format!("{}: {choice:?} {}", recipe.name, entry.dir().display()));
    }
    ctx.progress.finish();
    Ok(())
}

/// One message for the person: what failed, why, what to do.
pub fn explain(error: &Error) -> String {
    if proc::is_full(error) {
        return format!("xtask: no room is left for the cache: {}", context::FULL_REMEDY);
    }
    format!("xtask: {error:#}")
}
