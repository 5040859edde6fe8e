//! What a machine's memory options mean, and what processes cost the host.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use common::{fails, output, text, wasmlinux};

#[test]
fn user_memory_is_what_the_machine_shows() {
    let script =
        "sed -n 's/^MemTotal: *//p' /proc/meminfo; free -k | awk '/Mem/ { print $2 - $3 }'";
    let out = output(&["run", "--memory=64M", "--user-memory=512M", "--", "sh", "-c", script]);
    let text = text(&out.stdout);
    let numbers: Vec<u64> =
        text.lines().map(|l| l.trim_end_matches(" kB").parse().unwrap()).collect();
    // Some of the kernel's 64 MiB are its own from the start.
    let all = (512 + 64) << 10;
    assert!(numbers[0] <= all && numbers[0] > all - (8 << 10), "{text}");
    assert!(numbers[1] < numbers[0] && numbers[1] > 512 << 10, "{text}");
}

#[test]
fn a_bad_size_is_refused() {
    fails(&["run", "--user-memory=1M", "--", "true"], 2, "16M to 131072M");
    fails(&["run", "--user-memory=lots", "--", "true"], 2, "a number with M or G");
}

/// A hog dies; the shell that started it goes on.
#[test]
fn a_hog_is_killed_and_the_machine_stays() {
    let script = "dd if=/dev/zero of=/dev/null bs=150M count=1 2>/dev/null; echo $?; \
                  dd if=/dev/zero of=/dev/null bs=20M count=1 2>/dev/null; echo $?; \
                  dmesg | grep -c 'Out of memory: Killed process .*(dd)'";
    let out = output(&["run", "--user-memory=100M", "--", "sh", "-c", script]);
    assert_eq!(text(&out.stdout), "137\n0\n1\n", "{}", text(&out.stderr));
}

/// A machine with so many sleeping processes: its resident KiB and mappings.
struct Machine(Child);

impl Machine {
    fn with(processes: usize) -> Machine {
        let script = format!(
            "i=0; while [ $i -lt {processes} ]; do sleep 1000 & i=$((i+1)); done; echo ready; read x"
        );
        let mut child = wasmlinux(&["run", "--", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Machine(child)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).unwrap()
    }

    fn resident(&self) -> usize {
        let status = self.read("status");
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn mappings(&self) -> usize {
        self.read("maps").lines().count()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended already, which is the test's failure elsewhere.
        let _ = self.0.stdin.take().unwrap().write_all(b"\n");
        let _ = self.0.wait();
    }
}

#[test]
fn a_sleeping_process_is_cheap() {
    const MORE: usize = 100;
    let (one, many) = (Machine::with(1), Machine::with(1 + MORE));
    let resident = many.resident().saturating_sub(one.resident()) / MORE;
    let mappings = many.mappings().saturating_sub(one.mappings()).div_ceil(MORE);
    println!("a process: {resident} KiB, {mappings} mappings");
    assert!(resident <= 300, "{resident} KiB for each process");
    // Linux allows 65,530; 1,000 processes must stay far below.
    assert!(mappings <= 16, "{mappings} mappings for each process");
}
