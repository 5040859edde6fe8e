//! The rows: what is measured, beside what, and what it should be.

use crate::consoles::{Consoles, Echo};
use crate::report::{Goal, Report};
use crate::sample::{alone, in_turn, Samples, Unit};
use crate::served::{built, busybox, Served};
use crate::{boot, idle, stream, WASMLINUX};
use anyhow::{Context, Result};
use std::process::Command;

/// Row, its name in `calls.c`, its goal.
const CALLS: &[(&str, &str, Goal)] = &[
    ("getppid", "getppid", Goal::Ratio(1.0)),
    ("pipe write+read", "pipe", Goal::Ratio(1.0)),
    ("open+close", "open", Goal::Ratio(1.0)),
    ("pipe ping-pong", "ping-pong", Goal::None),
    ("fork+exit+wait", "fork", Goal::Ratio(2.0)),
    ("vfork+exec+wait", "exec", Goal::None),
    ("sh -c exit", "sh", Goal::None),
    ("thread create+join", "thread", Goal::None),
];

/// Row and its name in `applets.c`.
const APPLETS: &[(&str, &str)] = &[
    ("sha256sum 200 MB", "sha256"),
    ("md5sum 200 MB", "md5"),
    ("gzip 20 MB", "gzip"),
    ("sort 500,000 lines", "sort"),
    ("awk words of 20 MB", "awk"),
];
/// Of the applets' geometric mean.
const CPU_GOAL: f64 = 1.10;

pub fn all(report: &mut Report) -> Result<()> {
    boots(report)?;
    idles(report)?;
    calls(report)?;
    streams(report)?;
    consoles(report)?;
    applets(report)
}

fn boots(report: &mut Report) -> Result<()> {
    let rounds = report.rounds;
    if report.wants("boot to init") {
        let ours = alone(rounds, boot::to_init)?;
        report.alone("boot to init", Unit::Time, &ours, Goal::AtMost(5e6));
    }
    if report.wants("boot to prompt") {
        let ours = alone(rounds, boot::to_prompt)?;
        report.alone("boot to prompt", Unit::Time, &ours, Goal::None);
    }
    if report.wants("builder to output") {
        let ours = alone(rounds, boot::to_output)?;
        report.alone("builder to output", Unit::Time, &ours, Goal::AtMost(30e6));
    }
    if report.wants("command to prompt") {
        let (ours, peer) = in_turn(
            rounds,
            || boot::command_to_prompt(boot::our_shell()),
            || boot::command_to_prompt(boot::host_shell()),
        )?;
        let goal = Goal::AtMost(50e6);
        report.beside("command to prompt", Unit::Time, (&ours, &peer), &shell_name()?, goal);
    }
    if report.wants("run -- true") {
        let (ours, peer) = in_turn(
            rounds,
            || boot::command_to_end(Command::new(WASMLINUX).args(["run", "--", "true"])),
            || boot::command_to_end(&mut Command::new("true")),
        )?;
        report.beside("run -- true", Unit::Time, (&ours, &peer), "true", Goal::None);
    }
    Ok(())
}

fn idles(report: &mut Report) -> Result<()> {
    let wants = ["idle RSS", "idle CPU of 10 s", "threads"].map(|row| report.wants(row));
    if wants == [false; 3] {
        return Ok(());
    }
    let ours = idle::measure(boot::our_shell())?;
    let peer = idle::measure(boot::host_shell())?;
    let name = shell_name()?;
    let row = |row, unit, ours, peer, goal| {
        let (ours, peer) = (Samples::new(vec![ours]), Samples::new(vec![peer]));
        report.beside(row, unit, (&ours, &peer), &name, goal);
    };
    if wants[0] {
        row(
            "idle RSS",
            Unit::Bytes,
            ours.resident,
            peer.resident,
            Goal::AtMost(f64::from(20 << 20)),
        );
    }
    if wants[1] {
        // A tenth of a per cent: no timer ticks.
        row("idle CPU of 10 s", Unit::Time, ours.cpu, peer.cpu, Goal::AtMost(10e6));
    }
    if wants[2] {
        row("threads", Unit::Count, ours.threads, peer.threads, Goal::None);
    }
    Ok(())
}

fn calls(report: &mut Report) -> Result<()> {
    let wanted: Vec<_> = CALLS.iter().filter(|(row, ..)| report.wants(row)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut guest = Served::start(Command::new(WASMLINUX).arg("run").arg(built("calls.wasm")?))?;
    let mut host = Served::start(&mut Command::new(built("calls")?))?;
    for (row, name, goal) in wanted {
        let (ours, peer) = in_turn(report.rounds, || guest.ask(name), || host.ask(name))?;
        let shell = if *name == "sh" { format!(", {}", shell_name()?) } else { String::new() };
        let peer_name = format!("host kernel, musl{shell}");
        report.beside(row, Unit::Time, (&ours, &peer), &peer_name, *goal);
    }
    Ok(())
}

fn streams(report: &mut Report) -> Result<()> {
    if report.wants("run -- cat, 256 MB") {
        let (ours, peer) = in_turn(
            report.rounds,
            || stream::through(Command::new(WASMLINUX).args(["run", "--", "cat"])),
            || stream::through(&mut Command::new("cat")),
        )?;
        let unit = Unit::Rate(stream::BYTES);
        report.beside("run -- cat, 256 MB", unit, (&ours, &peer), "cat, pipe to pipe", Goal::None);
    }
    Ok(())
}

fn consoles(report: &mut Report) -> Result<()> {
    let wants = ["telnet key to echo", "telnet to prompt", "64 × yes, most/least"]
        .map(|row| (row, report.wants(row)));
    if wants.iter().all(|(_, wanted)| !wanted) {
        return Ok(());
    }
    let consoles = Consoles::start()?;
    let [echo, prompt, fair] = wants;
    if echo.1 {
        let mut host = Echo::start()?;
        let (ours, peer) = in_turn(report.rounds, || consoles.echo(), || host.echo())?;
        let goal = Goal::AtMost(200e3);
        report.beside(echo.0, Unit::Time, (&ours, &peer), "a thread that echoes", goal);
    }
    if prompt.1 {
        let ours = alone(report.rounds, || consoles.to_prompt())?;
        report.alone(prompt.0, Unit::Time, &ours, Goal::AtMost(20e6));
    }
    if fair.1 {
        let ours = Samples::new(vec![consoles.unfairness()?]);
        report.alone(fair.0, Unit::Ratio, &ours, Goal::AtMost(2.0));
    }
    Ok(())
}

fn applets(report: &mut Report) -> Result<()> {
    let wanted: Vec<_> = APPLETS.iter().filter(|(row, _)| report.wants(row)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let mut guest = Command::new(WASMLINUX);
    guest
        .args(["run", "--memory", "512M"])
        .arg(built("applets.wasm")?)
        .args(["/bin/busybox", "/tmp"]);
    let mut host = Command::new(built("applets")?);
    host.arg(busybox()?).arg(directory.path());
    let mut guest = Served::start(&mut guest)?;
    let mut host = Served::start(&mut host)?;
    let mut product = 1.0;
    for (row, name) in &wanted {
        let (ours, peer) = in_turn(report.rounds, || guest.ask(name), || host.ask(name))?;
        let peer_name = "same BusyBox and musl, gcc -O2";
        product *= report.beside(row, Unit::Time, (&ours, &peer), peer_name, Goal::None);
    }
    if wanted.len() == APPLETS.len() {
        let mean = f64::powf(product, 1.0 / wanted.len() as f64);
        report.mean("CPU, geometric mean", mean, CPU_GOAL);
    }
    Ok(())
}

/// What `sh` is on this host.
fn shell_name() -> Result<String> {
    let path = std::fs::canonicalize("/bin/sh").context("the host has no /bin/sh")?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(if name == "sh" { "sh".into() } else { format!("sh ({name})") })
}
