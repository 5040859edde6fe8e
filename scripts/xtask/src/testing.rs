//! Runs the tests and counts them.

use crate::context::Context;
use crate::sdk;
use anyhow::{Context as _, Result};
use std::fmt;
use std::io::{BufRead, BufReader};
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

impl Tally {
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
    count(cargo)
}

/// The suites of other programs: those named, or every one.
pub fn suites(ctx: &Context, names: &[&str]) -> Result<Tally> {
    let mut cargo = sdk::cargo(ctx);
    cargo.args(["test", "--quiet", "--release", "--package", "runner", "--test", "suites", "--"]);
    cargo.arg("--include-ignored").args(names);
    count(cargo)
}

fn count(mut cargo: Command) -> Result<Tally> {
    let mut child =
        cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let mut tally = Tally::default();
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes)? > 0 {
        let line = String::from_utf8_lossy(&bytes);
        print!("{line}");
        tally.line(&line);
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
