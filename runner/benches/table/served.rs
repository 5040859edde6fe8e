//! Programs that measure a row whenever they are asked: `userland/bench`.

use anyhow::{bail, Context, Result};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running program of rows; ended on drop.
pub struct Served {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    what: String,
}

impl Served {
    pub fn start(command: &mut Command) -> Result<Served> {
        let what = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {what}"))?;
        let asks = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Ok(Served { child, asks, answers, what })
    }

    /// Measures a row once: nanoseconds.
    pub fn ask(&mut self, row: &str) -> Result<f64> {
        let mut line = String::new();
        writeln!(self.asks, "{row}").and_then(|()| self.asks.flush())?;
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            let status = self.child.wait()?;
            bail!("{} ended at the row {row}: {status}", self.what);
        }
        line.trim().parse().with_context(|| format!("{} answered {line:?}", self.what))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file that `xtask bench` has built.
pub fn built(name: &str) -> Result<PathBuf> {
    Ok(PathBuf::from(variable("WASMLINUX_BENCH")?).join(name))
}

/// The native BusyBox.
pub fn busybox() -> Result<PathBuf> {
    Ok(variable("WASMLINUX_BENCH_BUSYBOX")?.into())
}

fn variable(name: &str) -> Result<std::ffi::OsString> {
    std::env::var_os(name).with_context(|| format!("{name} is not set: run scripts/bench"))
}
