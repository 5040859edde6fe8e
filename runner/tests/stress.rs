//! Many processes, and the same programs again and again on one machine: what
//! leaks, and what fails once in a while.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use common::{output, test_module, text, wasmlinux};
use wasmlinux::{Builder, Machine};

/// A field of `/proc/PID/status` of a child, KiB for sizes.
fn status(child: &Child, field: &str) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let status = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let line = status.lines().find(|l| l.starts_with(field)).expect(field);
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn ten_thousand_processes_leave_nothing_behind() {
    let module = test_module("process_series");
    let mut child = wasmlinux(&["run", module.to_str().unwrap(), "10"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut costs = Vec::new();
    for _ in 0..10 {
        assert_eq!(lines.next().unwrap().unwrap(), "a thousand");
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", child.id())).unwrap();
        costs.push((status(&child, "VmRSS:"), maps.lines().count()));
        stdin.write_all(b"\n").unwrap();
    }
    assert!(child.wait().unwrap().success());
    // The first thousand fill pools and caches. A pool fills further when the dead
    // of a moment are many, up to 64 stacks and memories; a leak of 1 KiB or of
    // an area for each process would be 8 MiB or 8,000.
    let ((rss, maps), (last_rss, last_maps)) = (costs[1], costs[9]);
    assert!(last_rss <= rss + 4096 && last_maps <= maps + 256, "KiB and areas: {costs:?}");
}

#[test]
fn a_fork_bomb_with_more_memory_ends_in_an_errno() {
    // As many tasks as the kernel allows for it, thousands, and the runner lives.
    let module = test_module("process_bomb");
    let out = output(&["run", "--memory", "1G", module.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0), "{}{}", text(&out.stdout), text(&out.stderr));
}

/// The OOM killer once ended the shell beside it: no process of a bomb has much.
#[test]
fn a_fork_bomb_beside_a_full_tmpfs_kills_nobody() {
    let add = |name| format!("{}=/bin/{name}", test_module(name).display());
    let script = "dd if=/dev/zero of=/tmp/f bs=1M count=30 2>/dev/null; process_bomb && rm /tmp/f";
    let out =
        output(&["run", "--kernel-log", "--add", &add("process_bomb"), "--", "sh", "-c", script]);
    let log = text(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{log}");
    assert!(!log.contains("Out of memory"), "{log}");
}

/// The programs of one topic each that may fail by chance, if anything does.
const PROGRAMS: &[&str] = &[
    "clone",
    "conditions",
    "exec",
    "exec_errors",
    "exec_script",
    "fault",
    "fork",
    "fork_ids",
    "fork_signal",
    "jobs",
    "mutexes",
    "pidfd",
    "prctl",
    "pty",
    "recursion",
    "session",
    "setjmp",
    "setjmp_copied",
    "signal_altstack",
    "signal_busy",
    "signal_eintr",
    "signal_fault",
    "signal_handler",
    "signal_jump",
    "signal_overflow",
    "signal_queue",
    "signal_restart",
    "signal_thread",
    "signalfd",
    "spawn",
    "spawn_attr",
    "start_exit",
    "thread_cancel",
    "thread_exit",
    "thread_local",
    "thread_process",
    "threads",
    "timers",
    "vfork",
    "vfork_signal",
    "wait",
];
const TIMES: usize = 200;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
#[ignore = "runs 40 programs 200 times each: ten minutes"]
fn every_program_passes_two_hundred_times() {
    let log = Log::default();
    let builder = Machine::builder().kernel_log(log.clone());
    let add = |builder: Builder, name: &&str| builder.program(test_module(name));
    let machine = PROGRAMS.iter().fold(builder, add).boot().unwrap_or_else(|e| panic!("{e}"));
    let mut failures = Vec::new();
    for name in PROGRAMS {
        let before = failures.len();
        for _ in 0..TIMES {
            // Where `program` puts it is named as the module is.
            let out = machine.command(format!("/usr/local/bin/{name}.wasm")).output();
            let out = out.unwrap_or_else(|e| panic!("{name}: {e}"));
            if !out.status.success() {
                failures.push(format!("{name}: {:?}: {}", out.status, text(&out.stderr)));
            }
        }
        println!("{name}: {} of {TIMES}", TIMES - (failures.len() - before));
    }
    let log = text(&log.0.lock().unwrap());
    assert!(failures.is_empty(), "{}\n{log}", failures.join("\n"));
}
