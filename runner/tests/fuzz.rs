//! The syscall fuzzer (`userland/tests/fuzz.c`) for as long as one likes:
//! `scripts/fuzz MINUTES [SEED]`.
//!
//! A find is a runner that dies, a kernel that panics or warns, a machine that
//! hangs, or one that no longer works. Its seed, kernel log and, if it can be
//! had again, the calls that led to it are kept in `target/fuzz/SEED`.

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{test_module, wasmlinux};

/// Rounds that one machine runs.
const ROUNDS: u64 = 50;
/// A round takes a second at most, then twenty to end.
const SILENCE: Duration = Duration::from_secs(120);
/// What the kernel says when something is wrong with itself.
const TROUBLE: &[&str] =
    &["WARNING: CPU", "BUG:", "BUG at", "Oops", "Kernel panic", "kernel crash", "hung", "stalled"];

fn parameter(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number")))
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Runs rounds on one machine; what went wrong.
fn run(dir: &Path, arguments: &[&str]) -> Result<(), String> {
    let (log, said) = (dir.join("kernel-log"), dir.join("stderr"));
    let log_option = format!("--kernel-log={}", log.display());
    let module = test_module("fuzz");
    let mut child = wasmlinux(&["run", "--memory", "128M", &log_option, "--"])
        .arg(&module)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&said).unwrap())
        .spawn()
        .unwrap();
    let (mut size, mut since) = (0, Instant::now());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let now = fs::metadata(&said).map_or(0, |m| m.len());
        if now != size {
            (size, since) = (now, Instant::now());
        }
        if since.elapsed() > SILENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err("the machine hangs".into());
        }
        // Nothing tells when a child ends or says something: look now and then.
        std::thread::park_timeout(Duration::from_millis(50));
    };
    let log = read(&log);
    if let Some(line) = log.lines().find(|l| TROUBLE.iter().any(|t| l.contains(t))) {
        return Err(line.to_owned());
    }
    if !status.success() {
        return Err(format!("{status}: {}", read(&said).lines().last().unwrap_or_default()));
    }
    Ok(())
}

/// The round that was running.
fn last_round(dir: &Path) -> Option<String> {
    let said = read(&dir.join("stderr"));
    said.lines().rev().find_map(|l| l.strip_prefix("round ")).map(str::to_owned)
}

#[test]
#[ignore = "takes as long as one likes: WASMLINUX_FUZZ_MINUTES, 2 by default"]
fn random_system_calls() {
    let minutes = parameter("WASMLINUX_FUZZ_MINUTES").unwrap_or(2);
    // Another part of the sequence each day, unless one is asked for.
    let day = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86400;
    let first = parameter("WASMLINUX_FUZZ_SEED").unwrap_or(day * 1_000_000);
    let kept = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz");
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let mut finds = Vec::new();
    let mut seed = first;
    while Instant::now() < end {
        let dir = kept.join(seed.to_string());
        fs::create_dir_all(&dir).unwrap();
        match run(&dir, &[&seed.to_string(), &ROUNDS.to_string()]) {
            Ok(()) => fs::remove_dir_all(&dir).unwrap(),
            Err(what) => {
                let round = last_round(&dir).unwrap_or_else(|| seed.to_string());
                let again = dir.join("alone");
                fs::create_dir_all(&again).unwrap();
                let alone = run(&again, &[&round, "1", "-v"]);
                println!("round {round}: {what}; alone: {alone:?}; see {}", dir.display());
                finds.push(round);
            }
        }
        seed += ROUNDS;
    }
    println!("{} rounds from seed {first}", seed - first);
    assert!(finds.is_empty(), "finds in rounds {finds:?}");
}
