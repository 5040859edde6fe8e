//! The verbs of the command line.

use crate::context::{self, Context};
use crate::fetch::{mark, Choice, Fetcher};
use crate::progress::{Progress, Step};
use crate::recipe::Recipe;
use crate::suites::Which;
use crate::testing::Tally;
use crate::{
    bench, cache, kernel, languages, pipeline, proc, sdk, suites, telnet, testing, userland, web,
};
use anyhow::{Context as _, Error, Result};
use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask VERB

  fetch        get the pinned sources into the cache
  build        build everything that run and test need
  run ARGS     build, then wasmlinux ARGS (`serve --console` without any)
  run web [PORT] build web/dist and serve it on localhost (8080 if not told otherwise)
  web build    build web/build, with the guest tests, and web/dist
  web test     the same, then the tests of web/; --all: the slow ones too
  test         build, then every test; --all: the slow ones too
  suites [NAME] build and run the suites of other programs, all or those named
  bench [ROW]  build, then the table of benchmarks, or rows whose name has ROW in it;
               web: those of the page and its engine
  status       what the cache holds
  clean-cache  empty the cache; --keep-sources: but for the downloads
";

/// A command line that is not understood.
const USAGE_ERROR: u8 = 2;

pub fn run(args: &[String]) -> Result<ExitCode> {
    let (verb, rest) = args.split_first().map_or(("help", args), |(v, r)| (v.as_str(), r));
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (verb, rest.as_slice()) {
        ("fetch", []) => fetch()?,
        ("build", []) => drop(pipeline::build_all()?),
        ("run", ["web"]) => return Err(serve_page("8080")),
        ("run", ["web", port]) => return Err(serve_page(port)),
        ("web", ["build"]) => drop(web::build_all(false)?),
        ("web", ["test"]) => return web_test(false),
        ("web", ["test", "--all"]) => return web_test(true),
        ("run", _) => return Err(wasmlinux(&rest)),
        ("test", []) => return test(false),
        ("test", ["--all"]) => return test(true),
        ("suites", []) => return report(&testing::suites(&suites_of(&Which::All)?, &[])?),
        ("suites", names) => {
            return report(&testing::suites(&suites_of(&Which::Named(names))?, names)?)
        }
        ("bench", _) => return bench(&rest),
        ("status", []) => status()?,
        ("clean-cache", []) => clean(false)?,
        ("clean-cache", ["--keep-sources"]) => clean(true)?,
        ("help" | "--help" | "-h", []) => print!("{USAGE}"),
        _ => {
            eprint!("xtask: cannot understand \"{}\"\n{USAGE}", args.join(" "));
            return Ok(ExitCode::from(USAGE_ERROR));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn recipes(ctx: &Context) -> Result<Vec<Recipe>> {
    let mut list = vec![kernel::recipe(ctx)?];
    list.extend(userland::recipes(ctx)?);
    list.extend(suites::recipes(ctx)?);
    list.push(telnet::recipe(ctx)?);
    list.push(languages::recipe(ctx)?);
    list.extend(web::recipes(ctx)?);
    Ok(list)
}

fn fetch() -> Result<()> {
    let ctx = Context::new(Progress::new(&[Step { name: "sources", weight: 1 }]))?;
    ctx.progress.step("sources");
    let mut fetcher = Fetcher::new(&ctx.cache, &ctx.progress, ctx.log("fetch"));
    for recipe in recipes(&ctx)? {
        // Asked for by name: look again whether the pinned one is back.
        fetcher.forget(&recipe);
        let (choice, _) = fetcher.fetch(&recipe)?;
        let revision = match &choice {
            Choice::Newer(offer) => offer.version.clone(),
            Choice::Pinned => recipe.revisions(),
        };
        ctx.progress.note(&format!(
            "{} {} ({}): Debian {revision}. {}",
            recipe.name,
            recipe.version,
            recipe.licence,
            recipe.provenance.trim()
        ));
    }
    ctx.progress.finish();
    Ok(())
}

/// Becomes wasmlinux; comes back only with the reason why not.
fn wasmlinux(args: &[&str]) -> Error {
    let ctx = match pipeline::build() {
        Ok(ctx) => ctx,
        Err(error) => return error,
    };
    let mut program = Command::new(ctx.bin.join("wasmlinux"));
    // File names in the arguments are the caller's.
    if let Some(dir) = env::var_os("WASMLINUX_PWD") {
        program.current_dir(dir);
    }
    // Nothing said: a person wants a shell, and perhaps another one elsewhere.
    let args = if args.is_empty() { &["serve", "--console"] } else { args };
    Error::new(program.args(args).exec()).context("cannot start wasmlinux")
}

/// Becomes the server of `web/dist`; comes back only with the reason why not.
fn serve_page(port: &str) -> Error {
    let ctx = match web::build() {
        Ok(ctx) => ctx,
        Err(error) => return error,
    };
    let mut node = Command::new(ctx.path(web::NODE));
    node.arg(ctx.path("web/serve.ts")).arg(ctx.path("web/dist")).arg(port);
    Error::new(node.exec()).context("cannot start the server")
}

fn test(all: bool) -> Result<ExitCode> {
    let which = if all { Which::All } else { Which::Quick };
    drop(pipeline::build_all()?);
    let page = web::build_all(all)?;
    let mut tally = testing::run(&suites::prepare(&which)?, all)?;
    tally += testing::web(&page, all)?;
    report(&tally)
}

/// The page's own tests, for which nothing need have been built.
fn web_test(all: bool) -> Result<ExitCode> {
    let page = web::build_all(all)?;
    let suites = testing::web_suites(&page)?;
    let names: Vec<&str> = suites.iter().map(String::as_str).collect();
    drop(suites_of(&Which::Named(&names))?);
    report(&testing::web(&page, all)?)
}

/// The suites, with all that they need.
fn suites_of(which: &Which) -> Result<Context> {
    drop(pipeline::build()?);
    suites::prepare(which)
}

fn report(tally: &Tally) -> Result<ExitCode> {
    println!("\n{tally}");
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The native rows, and those of the page and its engine, which go by the name of
/// `web`.
fn bench(args: &[&str]) -> Result<ExitCode> {
    let rounds = args.iter().position(|arg| *arg == "--rounds");
    let option = |i: usize| rounds.is_some_and(|at| i == at || i == at + 1);
    let options: Vec<_> = (0..args.len()).filter(|i| option(*i)).map(|i| args[i]).collect();
    let rows: Vec<_> = (0..args.len()).filter(|i| !option(*i)).map(|i| args[i]).collect();
    let (web_rows, native): (Vec<&str>, Vec<&str>) = rows.iter().partition(|row| **row == "web");

    let mut prepared = bench::prepare()?;
    let mut commands = Vec::new();
    if !native.is_empty() || web_rows.is_empty() {
        prepared.table.args(&options).args(&native);
        commands.push(prepared.table);
    }
    if !web_rows.is_empty() || native.is_empty() {
        let ctx = web::build()?;
        // The engine's rows are the native ones' programs.
        sdk::cargo_build(&ctx, "wasmlinux-instrument", "instrumenter")?;
        for script in ["web/bench/page.ts", "web/bench/engine.ts"] {
            let mut node = Command::new(ctx.path(web::NODE));
            node.arg(ctx.path(script)).args(&options).env("WASMLINUX_BENCH", &prepared.programs);
            commands.push(node);
        }
    }
    let mut good = true;
    for command in &mut commands {
        good &= command.status().context("cannot run a benchmark")?.success();
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn status() -> Result<()> {
    let ctx = Context::new(Progress::new(&[]))?;
    let fetcher = Fetcher::new(&ctx.cache, &ctx.progress, ctx.log("fetch"));
    for recipe in recipes(&ctx)? {
        let choice = mark(&fetcher.choice(&recipe));
        println!("{:10} {:10} {choice}  {}", recipe.name, recipe.version, recipe.licence);
    }
    let megabytes = |bytes: u64| format!("{:8.1} MB", bytes as f64 / 1e6);
    let mut sum = 0;
    for (name, bytes) in ctx.cache.entries()? {
        println!("{} {name}", megabytes(bytes));
        sum += bytes;
    }
    println!("{} in {}", megabytes(sum), ctx.cache.root().display());
    println!("{} free there", megabytes(proc::free_bytes(ctx.cache.root())?));
    Ok(())
}

fn clean(keep_sources: bool) -> Result<()> {
    Context::new(Progress::new(&[]))?.cache.clear(keep_sources)
}

/// One message for the person: what failed, why, what to do.
pub fn explain(error: &Error) -> String {
    if proc::is_full(error) {
        let place = cache::place().unwrap_or_default();
        let remedy = context::FULL_REMEDY;
        return format!("xtask: no room is left for the cache {}: {remedy}", place.display());
    }
    let mut text = String::from("xtask");
    for cause in error.chain() {
        let cause = cause.to_string();
        // The end of a log begins on a line of its own.
        text += if cause.contains('\n') { ":\n" } else { ": " };
        text += &cause;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_full_disk_is_one_sentence_with_its_remedy() {
        let error = Error::new(io::Error::from(io::ErrorKind::StorageFull)).context("kernel");
        let text = explain(&error);
        assert!(text.contains("no room is left") && text.contains("free some"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn a_log_begins_on_a_line_of_its_own() {
        let error = anyhow::anyhow!("one\ntwo").context("step failed");
        assert_eq!(explain(&error), "xtask: step failed:\none\ntwo");
    }

    #[test]
    fn what_is_not_understood_exits_with_2() {
        let code = run(&["no-such-verb".into()]).unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)));
    }
}
