//! What a shell costs that nobody types at.

use anyhow::{Context, Result};
use std::fs;
use std::process::Command;
use std::time::Duration;

/// How long to look.
pub const WINDOW: Duration = Duration::from_secs(10);
/// How long the shell may still be busy after its prompt.
const SETTLE: Duration = Duration::from_secs(1);

pub struct Idle {
    /// Bytes in memory, shared ones included.
    pub resident: f64,
    pub threads: f64,
    /// Nanoseconds of CPU in [`WINDOW`].
    pub cpu: f64,
}

pub fn measure(command: Command) -> Result<Idle> {
    let terminal = crate::boot::shell(command);
    let pid = terminal.pid();
    std::thread::sleep(SETTLE);
    let before = cpu(pid)?;
    std::thread::sleep(WINDOW);
    let cpu = cpu(pid)? - before;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| -> Result<f64> {
        let line = status.lines().find_map(|l| l.strip_prefix(name)).context("no such field")?;
        Ok(line.split_whitespace().nth(1).context("no value")?.parse()?)
    };
    Ok(Idle { resident: field("VmRSS")? * 1024.0, threads: field("Threads")?, cpu })
}

/// CPU time of all threads; the first number of schedstat is nanoseconds.
fn cpu(pid: u32) -> Result<f64> {
    let mut sum = 0.0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        sum += text.split(' ').next().context("schedstat is empty")?.parse::<f64>()?;
    }
    Ok(sum)
}
