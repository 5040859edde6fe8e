//! `wasmlinux run -- CMD`: streams, exit codes, options.

mod common;

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::{fails, output, output_with_input, sh, text, wasmlinux, Dir};

#[test]
fn exit_code_is_the_guests() {
    for code in [0, 1, 7, 255] {
        let out = output(&["run", "--", "sh", "-c", &format!("exit {code}")]);
        assert_eq!(out.status.code(), Some(code), "{}", text(&out.stderr));
    }
}

#[test]
fn a_signal_is_128_plus_its_number() {
    for (signal, code) in [("KILL", 137), ("TERM", 143), ("SEGV", 139)] {
        let out = output(&["run", "--", "sh", "-c", &format!("kill -{signal} $$")]);
        assert_eq!(out.status.code(), Some(code), "{}", text(&out.stderr));
    }
}

#[test]
fn stdin_reaches_the_command() {
    let out = output_with_input(&["run", "--", "sha256sum"], b"hello\n");
    assert_eq!(
        text(&out.stdout),
        "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  -\n"
    );
}

#[test]
fn stdout_and_stderr_are_separate() {
    let out = output(&["run", "--", "sh", "-c", "echo out; echo err >&2"]);
    assert_eq!((text(&out.stdout).as_str(), text(&out.stderr).as_str()), ("out\n", "err\n"));
}

#[test]
fn streams_are_binary_clean() {
    let all: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    assert_eq!(output_with_input(&["run", "--", "cat"], &all).stdout, all);
}

#[test]
fn a_hundred_megabytes_come_back_identical() {
    // A pattern whose period is prime to every buffer size.
    let big: Vec<u8> = (0..100_000_000u32).map(|i| (i % 251) as u8 ^ (i >> 16) as u8).collect();
    let out = output_with_input(&["run", "--", "cat"], &big);
    assert_eq!(out.stdout.len(), big.len());
    assert!(out.stdout == big, "bytes differ");
}

#[test]
fn input_is_not_taken_when_nobody_reads_it() {
    let mut child = wasmlinux(&["run", "--", "true"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    assert!(child.wait().unwrap().success());
    // The pipe's reader is gone now; what matters is that the command ended
    // although its stdin never did.
    assert!(stdin.write_all(b"x").is_err());
}

#[test]
fn output_that_nobody_reads_ends_the_command() {
    let mut child = wasmlinux(&["run", "--", "yes"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 4096]).unwrap();
    drop(stdout);
    // SIGPIPE, or the write error that `yes` reports.
    assert!(!child.wait().unwrap().success());
}

#[test]
fn environment_and_directory() {
    let out = output(&[
        "run",
        "--env",
        "A=b c",
        "-e",
        "EMPTY=",
        "--cwd",
        "/tmp",
        "--",
        "sh",
        "-c",
        "echo \"$A,$EMPTY,$PWD,$HOME\"",
    ]);
    assert_eq!(text(&out.stdout), "b c,,/tmp,/root\n");
}

#[test]
fn arguments_are_passed_as_they_are() {
    let out = output(&["run", "--", "printf", "%s|", "a b", "", "--help", "ü"]);
    assert_eq!(text(&out.stdout), "a b||--help|ü|");
}

#[test]
fn commands_that_cannot_start() {
    fails(&["run", "--", "no-such-command"], 127, "no-such-command");
    fails(&["run", "--", "/etc/passwd"], 126, "/etc/passwd");
    fails(&["run", "--", "/no/such/file"], 127, "/no/such/file");
}

#[test]
fn wrong_usage_is_2() {
    fails(&["run"], 2, "required");
    fails(&["run", "--memory", "1M", "--", "true"], 2, "give 16M to");
    fails(&["run", "--memory", "much", "--", "true"], 2, "such as 64M");
    fails(&["frobnicate"], 2, "unrecognized");
}

#[test]
fn help_and_version() {
    let help = output(&["run", "--help"]);
    assert!(help.status.success());
    for option in ["--memory", "--env", "--rootfs", "--kernel-log"] {
        assert!(text(&help.stdout).contains(option), "{option}");
    }
    let version = output(&["--version"]);
    assert!(text(&version.stdout).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn bad_root_file_systems() {
    fails(&["run", "--rootfs", "/no/such.cpio", "--", "true"], 125, "/no/such.cpio");
    let dir = Dir::new();
    let file = dir.file("garbage", b"not an archive");
    fails(&["run", "--rootfs", &file, "--", "true"], 125, "cpio");
}

#[test]
fn memory_size_is_obeyed() {
    // KiB, of the kernel's memory and that of processes together.
    let total = |memory: &str, user_memory: &str| -> u64 {
        let out = output(&[
            "run",
            "--memory",
            memory,
            "--user-memory",
            user_memory,
            "--",
            "sh",
            "-c",
            "while read k v u; do [ $k = MemTotal: ] && echo $v; done < /proc/meminfo",
        ]);
        text(&out.stdout).trim().parse().unwrap_or_else(|_| panic!("{}", text(&out.stderr)))
    };
    let within = |total: u64, most: u64| total > (most - 32) << 10 && total <= most << 10;
    let (small, kernel, user) = (total("64M", "64M"), total("256M", "64M"), total("64M", "512M"));
    assert!(within(small, 128), "{small}");
    assert!(within(kernel, 320), "{kernel}");
    assert!(within(user, 576), "{user}");
}

#[test]
fn the_kernel_log_goes_where_it_is_wanted() {
    let out = output(&["run", "--kernel-log", "--", "true"]);
    assert!(text(&out.stderr).contains("Linux version 6.12"), "{}", text(&out.stderr));
    assert!(output(&["run", "--", "true"]).stderr.is_empty());
    let dir = Dir::new();
    let file = dir.path().join("log");
    let option = format!("--kernel-log={}", file.display());
    assert!(output(&["run", &option, "--", "true"]).stderr.is_empty());
    assert!(std::fs::read_to_string(&file).unwrap().contains("Linux version 6.12"));
}

#[test]
fn the_wall_clock_is_right() {
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let guest: u64 = sh("date +%s").trim().parse().unwrap();
    let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!((before..=after).contains(&guest), "{before} {guest} {after}");
}

#[test]
fn sleep_takes_its_time() {
    let begin = Instant::now();
    sh("sleep 0.3");
    assert!(begin.elapsed() >= Duration::from_millis(300));
    // As the guest itself sees it.
    let up = sh("read a b < /proc/uptime; sleep 0.5; read c d < /proc/uptime; echo $a $c");
    let (a, c) = up.trim().split_once(' ').unwrap();
    let slept = c.parse::<f64>().unwrap() - a.parse::<f64>().unwrap();
    assert!((0.49..5.0).contains(&slept), "{up}");
}

#[test]
fn a_busy_loop_is_preempted_and_killed() {
    assert_eq!(sh("timeout 0.2 sh -c 'while :; do :; done' 2>/dev/null; echo $?"), "143\n");
}

#[test]
fn a_large_pipeline_is_right() {
    assert_eq!(sh("seq 1 100000 | sort -r -n | tail -n 1; seq 1 1000 | wc -l"), "1\n1000\n");
}

#[test]
fn random_numbers_are_there_at_once() {
    let a = sh("head -c 16 /dev/random | hexdump -C | head -n 1");
    assert_ne!(a, sh("head -c 16 /dev/random | hexdump -C | head -n 1"));
}

#[test]
fn a_background_process_does_not_hold_the_command_up() {
    let begin = Instant::now();
    assert_eq!(sh("sleep 60 & echo started"), "started\n");
    assert!(begin.elapsed() < Duration::from_secs(30));
}
