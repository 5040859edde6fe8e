//! One unit of a suite: a machine, a script, a deadline, and the cases that its
//! output names.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::common::wasmlinux;
use crate::suite::Suite;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail,
    /// What the suite says about it, if anything.
    Skip(String),
}

pub struct Report {
    pub unit: String,
    pub cases: Vec<(String, Verdict)>,
    /// Why the unit as a whole has failed.
    pub broken: Option<String>,
    pub log: PathBuf,
    pub took: Duration,
}

/// The units that the suite's script names.
pub fn list(suite: &Suite, logs: &Path) -> Result<Vec<String>, String> {
    let log = logs.join("units");
    let status = machine(suite, "", &log)?;
    let text = fs::read_to_string(&log).map_err(|e| e.to_string())?;
    let units: Vec<String> = text.lines().map(String::from).collect();
    match status {
        Some(status) if status.success() && !units.is_empty() => Ok(units),
        _ => Err(format!("its script names no units: {text}")),
    }
}

pub fn run(suite: &Suite, unit: &str, logs: &Path) -> Report {
    let log = logs.join(format!("{}.log", unit.replace('/', "-")));
    let began = Instant::now();
    let status = machine(suite, unit, &log);
    let took = began.elapsed();
    let output = fs::read(&log).unwrap_or_default();
    let cases = cases(&String::from_utf8_lossy(&output));
    let fails = cases.iter().any(|(_, verdict)| *verdict == Verdict::Fail);
    let broken = match status {
        Err(why) => Some(why),
        Ok(None) => Some(format!("did not end within {} s", suite.deadline.as_secs())),
        Ok(Some(status)) if !status.success() && !fails => Some(format!("{status}")),
        Ok(Some(_)) if cases.is_empty() => Some("has no results".into()),
        Ok(Some(_)) => None,
    };
    Report { unit: unit.into(), cases, broken, log, took }
}

/// Runs the suite's script in a machine of its own; None if it had to be ended.
fn machine(suite: &Suite, unit: &str, log: &Path) -> Result<Option<ExitStatus>, String> {
    let file = File::create(log).map_err(|e| format!("{}: {e}", log.display()))?;
    let mut args: Vec<&str> = suite.machine.iter().map(String::as_str).collect();
    let kernel_log = format!("--kernel-log={}", log.with_extension("kernel").display());
    // One stream: lines of the script and of what it runs do not mix.
    args.extend([&kernel_log, "--", "sh", "-c", "exec sh /suite/run $0 2>&1", unit]);
    let mut child = wasmlinux(&args)
        .stdin(Stdio::null())
        .stdout(file.try_clone().map_err(|e| e.to_string())?)
        .stderr(file)
        .spawn()
        .map_err(|e| format!("wasmlinux cannot be started: {e}"))?;
    wait(&mut child, suite.deadline).map_err(|e| format!("cannot wait for the machine: {e}"))
}

fn wait(child: &mut Child, deadline: Duration) -> std::io::Result<Option<ExitStatus>> {
    // SAFETY: asks for a descriptor of our own child, which has not been waited for.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) } as i32;
    if fd < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: just made, and nobody else's.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid entry.
    let ready = unsafe { libc::poll(&mut poll, 1, deadline.as_millis() as i32) };
    if ready == 0 {
        child.kill()?;
        child.wait()?;
        return Ok(None);
    }
    child.wait().map(Some)
}

/// Lines as most suites print them: `PASS: name`.
fn cases(output: &str) -> Vec<(String, Verdict)> {
    let mut found: Vec<(String, Verdict)> = Vec::new();
    for line in output.lines() {
        let Some((word, name)) = line.split_once(": ") else { continue };
        let verdict = match word {
            "PASS" => Verdict::Pass,
            "FAIL" => Verdict::Fail,
            // The suite's own: switched off, or known to fail everywhere.
            "SKIP" | "SKIPPED" | "UNTESTED" | "XFAIL" => Verdict::Skip(word.to_lowercase()),
            _ => continue,
        };
        let name = name.trim();
        // Suites call different cases the same.
        let same = found.iter().filter(|(n, _)| n == name || n.starts_with(&format!("{name} #")));
        let name = match same.count() {
            0 => name.to_owned(),
            n => format!("{name} #{}", n + 1),
        };
        found.push((name, verdict));
    }
    found
}
