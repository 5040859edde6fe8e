//! The crate: machines and their commands.

mod common;

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::Dir;
use wasmlinux::{Error, GuestError, Machine, Outcome, Size, SpecError, Stdio};

fn machine() -> Machine {
    Machine::builder().boot().unwrap()
}

fn sh(machine: &Machine, script: &str) -> String {
    let output = machine.command("sh").args(["-c", script]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What this process holds: bytes in memory, threads, descriptors, mappings.
fn held() -> [usize; 4] {
    let count = |dir: &str| std::fs::read_dir(dir).unwrap().count();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let rss = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    let rss: usize = rss.trim().trim_end_matches(" kB").parse().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    [rss << 10, count("/proc/self/task"), count("/proc/self/fd"), maps]
}

/// In a process of its own: other tests would be counted.
fn alone(test: &str) {
    let me = std::env::current_exe().unwrap();
    let args = ["--exact", test, "--ignored", "--nocapture"];
    let out = std::process::Command::new(me).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(
        out.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&out.stderr)
    );
}

#[test]
fn two_hundred_machines_leave_nothing_behind() {
    alone("two_hundred_machines");
}

#[test]
#[ignore = "counts what the process holds: run alone by two_hundred_machines_leave_nothing_behind"]
fn two_hundred_machines() {
    let once = |i: usize| {
        let machine = machine();
        assert_eq!(
            machine.command("echo").arg(i.to_string()).output().unwrap().stdout,
            format!("{i}\n").into_bytes()
        );
        // Some are dropped while commands run.
        if i % 3 == 0 {
            let stdio = || Stdio::piped();
            let yes = machine.command("yes").stdout(stdio()).spawn().unwrap();
            let cat = machine.command("cat").stdin(stdio()).stdout(stdio()).spawn().unwrap();
            let tty = machine.command("sh").stdin(stdio()).stdout(stdio()).tty(Size::default());
            let tty = tty.spawn().unwrap();
            drop(machine);
            for mut child in [yes, cat, tty] {
                assert!(matches!(child.wait(), Err(Error::Ended(Outcome::Stopped))));
            }
        }
    };
    let threads = held()[1];
    // The reader of an inherited stdin ends by itself, a moment later.
    let settled = || {
        let deadline = Instant::now() + Duration::from_secs(30);
        while held()[1] != threads && Instant::now() < deadline {
            std::thread::yield_now();
        }
        held()
    };
    (0..20).for_each(once);
    let before = settled();
    (20..220).for_each(once);
    let after = settled();
    println!("before {before:?}, after {after:?}");
    assert!(after[0] < before[0] + (8 << 20), "memory: {before:?} {after:?}");
    assert_eq!(after[1..3], before[1..3], "threads, descriptors");
    assert!(after[3] <= before[3] + 8, "mappings: {before:?} {after:?}");
}

#[test]
fn machines_at_once_are_separate() {
    std::thread::scope(|scope| {
        for i in 0..8 {
            scope.spawn(move || {
                let machine = machine();
                sh(&machine, &format!("echo {i} >/tmp/mine; hostname machine-{i}"));
                for _ in 0..20 {
                    let out = sh(&machine, "cat /tmp/mine; hostname; (exit 3) | cat");
                    assert_eq!(out, format!("{i}\nmachine-{i}\n"));
                }
            });
        }
    });
}

#[test]
fn commands_at_once_on_one_machine() {
    let machine = machine();
    std::thread::scope(|scope| {
        for i in 0..32u32 {
            let machine = &machine;
            scope.spawn(move || {
                let text: Vec<u8> = (0..100_000u32).map(|n| ((n * (i + 1)) >> 3) as u8).collect();
                let cat = machine.command("cat").stdin(Stdio::bytes(text.clone()));
                let output = cat.output().unwrap();
                assert!(output.stdout == text && output.status.success(), "{i}");
            });
        }
    });
}

#[test]
fn environment_arguments_directory_and_user() {
    let machine = Machine::builder().env("A", "machine").env("B", "machine").boot().unwrap();
    let output = machine
        .command("sh")
        .args(["-c", "echo $A,$B,$PWD,$1,$(id -u):$(id -g)", "sh", "a b"])
        .env("B", "command")
        .current_dir("/usr")
        .uid(1000)
        .gid(1001)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "machine,command,/usr,a b,1000:1001\n");
    let output = machine.command("/usr/bin/env").env_clear().env("ONLY", "this").output().unwrap();
    assert_eq!(output.stdout, b"ONLY=this\n");
}

#[test]
fn files_folders_and_programs_are_put_in() {
    let dir = Dir::new();
    let host = dir.file("from-host", b"host\n");
    dir.file("tool", b"#!/bin/sh\necho tool\n");
    std::fs::create_dir_all(dir.path().join("folder/deep")).unwrap();
    std::fs::write(dir.path().join("folder/deep/file"), "deep\n").unwrap();
    std::os::unix::fs::symlink("deep/file", dir.path().join("folder/link")).unwrap();
    let machine = Machine::builder()
        .file("/opt/new/place/file", 0o640, "bytes\n")
        .host_file("/etc/from-host", 0o600, &host)
        .folder("/srv/data", dir.path().join("folder"))
        .program(common::test_module("start_exit"))
        .boot()
        .unwrap();
    let out = sh(&machine, "cat /opt/new/place/file /etc/from-host /srv/data/link; \
        stat -c %a /opt/new/place/file /etc/from-host /srv/data/deep/file /root; start_exit.wasm && echo ran");
    assert_eq!(out, "bytes\nhost\ndeep\n640\n600\n444\n700\nran\n");
    let mut other = machine.command("sh").args(["-c", "echo x >/srv/data/deep/file"]).uid(1000);
    other = other.stderr(Stdio::null());
    assert!(!other.output().unwrap().status.success(), "copies are for reading");
    let hidden = Machine::builder().file("/tmp/x", 0o644, "").boot();
    assert!(matches!(hidden.err(), Some(Error::Guest(GuestError::Hidden(..)))));
}

#[test]
fn a_conversation() {
    let machine = machine();
    let mut child = machine.command("awk").arg("{ print $1 * 2; fflush() }").stdin(Stdio::piped());
    child = child.stdout(Stdio::piped());
    let mut child = child.spawn().unwrap();
    assert!(child.id() > 1);
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    for i in 1..100 {
        writeln!(stdin, "{i}").unwrap();
        let mut answer = Vec::new();
        while answer.last() != Some(&b'\n') {
            let mut byte = [0];
            stdout.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert_eq!(answer, format!("{}\n", i * 2).into_bytes());
    }
    assert_eq!(child.try_wait().unwrap(), None);
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert!(child.wait().unwrap().success(), "it may be asked again");
}

#[test]
fn kill_signal_and_wait_with_a_timeout() {
    let machine = machine();
    let mut sleep = machine.command("sleep").arg("1000").spawn().unwrap();
    let begin = Instant::now();
    assert_eq!(sleep.wait_timeout(Duration::from_millis(50)).unwrap(), None);
    assert!(begin.elapsed() >= Duration::from_millis(50));
    sleep.kill();
    assert_eq!(sleep.wait().unwrap().signal(), Some(9));
    sleep.kill();
    let script = "trap 'exit 5' USR1; echo armed; while :; do sleep 0.05; done";
    let mut child = machine.command("sh").args(["-c", script]).stdout(Stdio::piped());
    child = child.stdin(Stdio::null());
    let mut child = child.spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
    child.signal(10);
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn what_cannot_run() {
    let machine = machine();
    let kind = |e: Error| match e {
        Error::NotStarted { cause, .. } => cause.kind(),
        e => panic!("{e}"),
    };
    let run = |name: &str| machine.command(name).spawn().err().unwrap();
    assert_eq!(kind(run("no-such-program")), std::io::ErrorKind::NotFound);
    assert_eq!(kind(run("/etc/passwd")), std::io::ErrorKind::PermissionDenied);
    let nowhere = machine.command("true").current_dir("/nowhere").spawn().err().unwrap();
    assert_eq!(kind(nowhere), std::io::ErrorKind::NotFound);
    assert!(matches!(run("a\0b"), Error::Spec(SpecError::Nul)));
    assert!(matches!(run(""), Error::Spec(SpecError::NoCommand)));
    let bytes = machine.command("true").stdout(Stdio::bytes("x")).spawn();
    assert!(matches!(bytes.err(), Some(Error::Spec(SpecError::BytesForOutput))));
    let huge = machine.command("true").arg("x".repeat(2 << 20)).output().unwrap_err();
    let Error::NotStarted { cause, .. } = huge else { panic!("{huge}") };
    assert_eq!(cause.raw_os_error(), Some(libc::E2BIG));
}

#[test]
fn files_of_the_host_as_stdio() {
    let machine = machine();
    let dir = Dir::new();
    let from = std::fs::File::open(dir.file("in", b"3\n1\n2\n")).unwrap();
    let to = std::fs::File::create(dir.path().join("out")).unwrap();
    assert!(machine.command("sort").stdin(from).stdout(to).status().unwrap().success());
    assert_eq!(std::fs::read(dir.path().join("out")).unwrap(), b"1\n2\n3\n");
}

#[test]
fn a_terminal() {
    let machine = machine();
    let script = "trap 'stty size; exit 3' WINCH; tty; stty size; while :; do sleep 0.05; done";
    let mut command = machine.command("sh").args(["-c", script]);
    command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.tty(Size { rows: 30, columns: 90 }).spawn().unwrap();
    let mut terminal = child.terminal.take().unwrap();
    let mut shown = String::new();
    let mut buf = [0; 256];
    while !shown.contains("30 90\r\n") {
        let n = terminal.read(&mut buf).unwrap();
        assert_ne!(n, 0, "{shown}");
        shown += &String::from_utf8_lossy(&buf[..n]);
    }
    assert!(shown.starts_with("/dev/ttyL0\r\n"), "{shown}");
    terminal.resize(Size { rows: 10, columns: 20 });
    let mut rest = String::new();
    terminal.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "10 20\r\n");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    // A line that is cut is a hang-up.
    let mut command = machine.command("cat").stdin(Stdio::piped()).stdout(Stdio::piped());
    command = command.tty(Size::default());
    let mut child = command.spawn().unwrap();
    child.terminal.as_ref().unwrap().hang_up();
    assert_eq!(child.wait().unwrap().signal(), Some(1));
}

#[test]
fn power_off_from_another_thread() {
    let machine = Arc::new(machine());
    let mut child = machine.command("sleep").arg("1000").spawn().unwrap();
    let other = machine.clone();
    let ender = std::thread::spawn(move || other.shutdown(Duration::from_secs(60)));
    assert!(matches!(child.wait(), Err(Error::Ended(Outcome::PowerOff))));
    assert_eq!(ender.join().unwrap(), Outcome::PowerOff);
    assert_eq!(machine.try_wait(), Some(Outcome::PowerOff));
    let late = machine.command("true").status();
    assert!(matches!(late, Err(Error::Ended(Outcome::PowerOff))));
}

/// There is no init yet that could be asked.
#[test]
fn a_shutdown_while_the_guest_boots_is_in_order() {
    let machine = Machine::builder().boot().unwrap();
    assert_eq!(machine.shutdown(Duration::from_secs(60)), Outcome::PowerOff);
}

#[test]
fn a_shutdown_asks_processes_to_end() {
    let machine = machine();
    let script = "trap 'echo asked; exit' TERM; echo up; while :; do sleep 0.05; done";
    let command = machine.command("sh").args(["-c", script]).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 3]).unwrap();
    machine.power_off();
    let mut said = String::new();
    stdout.read_to_string(&mut said).unwrap();
    assert_eq!(said, "asked\n");
    assert!(matches!(child.wait(), Err(Error::Ended(Outcome::PowerOff))));
}

#[test]
fn a_shutdown_that_takes_too_long_is_cut_short() {
    let machine = machine();
    // An init that never ends anything.
    sh(&machine, "true");
    assert_eq!(machine.shutdown(Duration::ZERO), Outcome::Stopped);
}

#[test]
fn the_guest_may_end_its_machine() {
    let machine = machine();
    let end = machine.command("poweroff").arg("-f").status();
    assert!(matches!(end, Err(Error::Ended(Outcome::PowerOff))), "{end:?}");
    assert_eq!(machine.wait(), Outcome::PowerOff);
}

#[test]
fn an_unread_pipe_blocks_only_its_own_command() {
    let machine = machine();
    let mut yes = machine.command("yes").stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(sh(&machine, "echo others go on"), "others go on\n");
    let mut some = vec![0; 1 << 20];
    yes.stdout.as_mut().unwrap().read_exact(&mut some).unwrap();
    assert!(some.chunks(2).all(|c| c == b"y\n"));
    drop(yes.stdout.take());
    assert!(!yes.wait().unwrap().success());
}

#[test]
fn the_kernel_log_goes_where_it_is_wanted() {
    struct Count(Arc<AtomicUsize>);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.fetch_add(bytes.len(), SeqCst);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    let machine = Machine::builder().kernel_log(Count(count.clone())).boot().unwrap();
    sh(&machine, "true");
    assert!(count.load(SeqCst) > 1000);
}
