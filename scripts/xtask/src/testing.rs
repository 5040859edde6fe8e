//! Runs the tests and counts them.

use crate::context::Context;
use crate::key::files_below;
use crate::sdk;
use anyhow::{Context as _, Result};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Sums over all test programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Tally {
    /// Adds what a line of node's test runner says: `ℹ pass 14`.
    fn node_line(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let (Some("ℹ"), Some(what), Some(Ok(n))) =
            (words.next(), words.next(), words.next().map(str::parse::<u32>))
        else {
            return;
        };
        match what {
            "pass" => self.passed += n,
            "fail" | "cancelled" => self.failed += n,
            "skipped" | "todo" => self.skipped += n,
            _ => {}
        }
    }

    /// Adds what a line of cargo test's output says.
    fn line(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ") else {
            return;
        };
        for count in counts.split([';', '.']) {
            let mut words = count.split_whitespace();
            let Some(Ok(n)) = words.next().map(str::parse::<u32>) else {
                continue;
            };
            match words.next() {
                Some("passed") => self.passed += n,
                Some("failed") => self.failed += n,
                Some("ignored") => self.skipped += n,
                _ => {}
            }
        }
    }
}

/// Every test of the workspace; with `all`, the slow (ignored) ones too.
pub fn run(ctx: &Context, all: bool) -> Result<Tally> {
    let mut cargo = sdk::cargo(ctx);
    cargo.args(["test", "--workspace", "--release", "--no-fail-fast"]);
    if all {
        cargo.args(["--", "--include-ignored"]);
    }
    count(cargo, Tally::line)
}

/// The suites of other programs: those named, or every one.
pub fn suites(ctx: &Context, names: &[&str]) -> Result<Tally> {
    let mut cargo = sdk::cargo(ctx);
    cargo.args(["test", "--quiet", "--release", "--package", "runner", "--test", "suites", "--"]);
    cargo.arg("--include-ignored").args(names);
    count(cargo, Tally::line)
}

/// Types, form and tests of `web/`.
pub fn web(ctx: &Context, all: bool) -> Result<Tally> {
    let web = ctx.path("web");
    let tool = |name: &str| {
        let mut tool = Command::new(web.join("node_modules/.bin").join(name));
        tool.current_dir(&web);
        tool
    };
    let mut tally = Tally::default();
    for (name, args) in [("tsc", &[][..]), ("prettier", &["--check", "."])] {
        println!("\n     Running web: {name}");
        let status =
            tool(name).args(args).status().with_context(|| format!("cannot run {name}"))?;
        tally.passed += u32::from(status.success());
        tally.failed += u32::from(!status.success());
    }
    println!("\n     Running web: tests");
    let mut node = tool("node");
    // One file at a time: a browser wants both cores for itself.
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    node.args(test_files(&web)?);
    if all {
        node.env("WASMLINUX_TEST_ALL", "1");
    }
    tally += count(node, Tally::node_line)?;
    Ok(tally)
}

/// The suites that `web/test/suites` runs, each by a test of its name.
pub fn web_suites(ctx: &Context) -> Result<Vec<String>> {
    let files = test_files(&ctx.path("web"))?;
    let suites = files.iter().filter(|file| file.starts_with("test/suites"));
    let names = suites.filter_map(|file| file.file_name()?.to_str()?.strip_suffix(".test.ts"));
    Ok(names.map(str::to_owned).collect())
}

fn test_files(web: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files_below(&web.join("test"))?;
    files.retain(|file| file.to_string_lossy().ends_with(".test.ts"));
    Ok(files.iter().map(|file| Path::new("test").join(file)).collect())
}

fn count(mut command: Command, line_of: impl Fn(&mut Tally, &str)) -> Result<Tally> {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = spawned
        .with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
    let mut tally = Tally::default();
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes)? > 0 {
        let line = String::from_utf8_lossy(&bytes);
        print!("{line}");
        line_of(&mut tally, &line);
        bytes.clear();
    }
    let status = child.wait()?;
    if !status.success() && tally.failed == 0 {
        // It did not compile, or a test program died without a result.
        tally.failed = 1;
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_results_are_summed() {
        let mut tally = Tally::default();
        let lines = ["✔ pass 3 (1ms)", "ℹ tests 9", "ℹ pass 5", "ℹ fail 1", "ℹ cancelled 1"];
        for line in lines.into_iter().chain(["ℹ skipped 2", "ℹ duration_ms 77.5"]) {
            tally.node_line(line);
        }
        assert_eq!(tally, Tally { passed: 5, failed: 2, skipped: 2 });
    }

    #[test]
    fn results_are_summed() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 36 passed; 0 failed; 2 ignored; 0 measured; 5 filtered out; finished in 0.11s",
            "test x ... ok",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
        ] {
            tally.line(line);
        }
        assert_eq!(tally, Tally { passed: 37, failed: 2, skipped: 2 });
        assert_eq!(tally.to_string(), "37 passed, 2 failed, 2 skipped");
        assert_eq!(Tally::default().to_string(), "0 passed, 0 failed");
    }
}
