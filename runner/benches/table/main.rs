//! The table of benchmarks: `scripts/bench [--rounds N] [ROW...]`.
//!
//! ```text
//! boot, idle, stream, consoles ─► the runner as library and as `wasmlinux`
//! served ─► userland/bench/*.c in the guest and on the host
//!                 └► sample: in turn ─► report: one line a row
//! ```
//!
//! A figure is the median of several rounds, in which we and a named peer are
//! measured in turn, so that whatever else the machine does disturbs both. It
//! is compared, never judged by a time limit: the exit code says only whether
//! everything could be measured.

mod boot;
mod consoles;
mod idle;
#[path = "../../tests/common/pty.rs"]
#[allow(dead_code)] // the tests use more of it
mod pty;
mod report;
mod rows;
mod sample;
mod served;
mod stream;
#[path = "../../tests/common/telnet.rs"]
#[allow(dead_code)] // the tests use more of it
mod telnet;

use anyhow::{bail, Context, Result};
use report::Report;

/// The `wasmlinux` under test.
const WASMLINUX: &str = env!("CARGO_BIN_EXE_wasmlinux");
const ROUNDS: usize = 7;

fn main() -> Result<()> {
    let mut rounds = ROUNDS;
    let mut wanted = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--rounds" => {
                let number = args.next().and_then(|n| n.parse().ok()).filter(|&n| n > 0);
                rounds = number.context("--rounds needs a number")?;
            }
            option if option.starts_with('-') => bail!("unknown option {option}"),
            _ => wanted.push(arg),
        }
    }
    let mut report = Report::new(wanted, rounds);
    rows::all(&mut report)?;
    if report.is_empty() {
        bail!("no such row; the rows are:\n  {}", report.known().join("\n  "));
    }
    Ok(())
}
