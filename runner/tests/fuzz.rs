//! The syscall fuzzer (`userland/tests/fuzz.c`) for as long as one likes:
//! `scripts/fuzz MINUTES [SEED]`.
//!
//! A find is a runner that dies, a kernel that panics or warns, a machine that
//! hangs, or one that no longer works. Its seed, kernel log and, if it can be
//! had again, the calls that led to it are kept in `target/fuzz/SEED`.

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use common::{test_module, wasmlinux};

/// Rounds that one machine runs.
const ROUNDS: u64 = 50;
/// A round takes a second at most, then twenty to end. Time in which the machine
/// waits for a processor does not count: a host may be busy with other things.
const SILENCE: Duration = Duration::from_secs(60);
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
    let pid = child.id();
    let (mut size, mut since, mut waiting) = (0, Instant::now(), waited(pid));
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let now = fs::metadata(&said).map_or(0, |m| m.len());
        if now != size {
            (size, since, waiting) = (now, Instant::now(), waited(pid));
        }
        if since.elapsed() > SILENCE + waited(pid).saturating_sub(waiting) {
            fs::write(dir.join("threads"), threads(pid)).unwrap();
            fs::write(dir.join("stacks"), stacks(pid)).unwrap();
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

/// How long the guest's CPU has waited for a processor of the host's, in all.
fn waited(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanos = tasks
        .map(|task| task.path())
        .filter(|task| read(&task.join("comm")).trim() == "wasmlinux-cpu")
        .filter_map(|task| read(&task.join("schedstat")).split(' ').nth(1)?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(nanos)
}

/// What the threads of a runner that hangs are doing: asleep where, or busy.
fn threads(pid: u32) -> String {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let files = |task: PathBuf| ["stat", "wchan", "syscall"].map(|name| read(&task.join(name)));
    tasks.map(|task| files(task.path()).join(" ") + "\n").collect()
}

/// The functions they are in, the guest's and the kernel's by name, where gdb is installed.
fn stacks(pid: u32) -> String {
    let mut gdb = Command::new("gdb");
    gdb.args(["-batch", "-nx", "-ex", "thread apply all backtrace", "-p", &pid.to_string()]);
    match gdb.stdin(Stdio::null()).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => format!("gdb: {error}\n"),
    }
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
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let (next, finds) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    // A round still sleeps for three quarters of its time.
    let machines = 4 * std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..machines {
            scope.spawn(|| {
                while Instant::now() < end {
                    let seed = next.fetch_add(ROUNDS, Ordering::Relaxed);
                    // Not in one statement: the lock would be held all the while.
                    let found = try_seed(seed);
                    finds.lock().unwrap().extend(found);
                }
            });
        }
    });
    let rounds = next.into_inner() - first;
    println!("{rounds} rounds from seed {first}, {:.0} s of CPU", cpu_of_children());
    let finds = finds.into_inner().unwrap();
    assert!(finds.is_empty(), "finds in rounds {finds:?}");
}

/// Runs the rounds from this seed on; the one with a find.
fn try_seed(seed: u64) -> Option<String> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../target/fuzz/{seed}"));
    fs::create_dir_all(&dir).unwrap();
    let Err(what) = run(&dir, &[&seed.to_string(), &ROUNDS.to_string()]) else {
        fs::remove_dir_all(&dir).unwrap();
        return None;
    };
    let round = last_round(&dir).unwrap_or_else(|| seed.to_string());
    let again = dir.join("alone");
    fs::create_dir_all(&again).unwrap();
    let alone = run(&again, &[&round, "1", "-v"]);
    println!("round {round}: {what}; alone: {alone:?}; see {}", dir.display());
    Some(round)
}

/// Seconds, of those that have ended.
fn cpu_of_children() -> f64 {
    // SAFETY: all zero is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: a valid place for the answer.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage) };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
