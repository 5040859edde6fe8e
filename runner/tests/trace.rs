//! `wasmlinux run --trace`.

mod common;

use std::collections::BTreeMap;

use common::{fails, guest_dir, output, output_with_input, test_module, text, wasmlinux, Dir};
use wasmlinux::trace::{calls, names};

/// The lines of a trace without their process ids.
fn lines(stderr: &[u8]) -> Vec<String> {
    let text = text(stderr);
    let line = |l: &str| {
        let (pid, rest) = l.split_once(' ').unwrap_or_else(|| panic!("{l:?} in {text}"));
        assert!(pid.parse::<u32>().is_ok(), "{l:?} in {text}");
        rest.to_owned()
    };
    text.lines().map(line).collect()
}

/// Runs a script with a trace of `filter`; its lines.
#[track_caller]
fn trace(filter: &str, script: &str) -> Vec<String> {
    let dir = Dir::new();
    let file = dir.path().join("trace");
    let trace = format!("--trace={}", file.display());
    output(&["run", &trace, "--trace-filter", filter, "--", "sh", "-c", script]);
    lines(&std::fs::read(file).unwrap())
}

#[track_caller]
fn has(lines: &[String], wanted: &str) {
    assert!(lines.iter().any(|l| l == wanted), "{wanted}\nis not in\n{}", lines.join("\n"));
}

#[test]
fn every_call_of_the_kernel_is_in_the_table() {
    let header = guest_dir().join("sysroot/include/asm/unistd_32.h");
    let header = std::fs::read_to_string(header).unwrap();
    let kernel: BTreeMap<usize, &str> = header
        .lines()
        .filter_map(|l| {
            let (name, number) = l.strip_prefix("#define __NR_")?.split_once(' ')?;
            Some((number.trim().parse().ok()?, name))
        })
        .filter(|(_, name)| *name != "syscalls")
        .collect();
    let named = |(n, c): (usize, &'static Option<calls::Call>)| Some((n, c.as_ref()?.name));
    let ours: BTreeMap<usize, &str> = calls::calls().iter().enumerate().filter_map(named).collect();
    assert!(kernel.len() > 300, "{header}");
    assert_eq!(ours, kernel);
}

#[test]
fn names_are_those_of_the_headers() {
    let mut source = String::from("#define _GNU_SOURCE\n");
    for header in HEADERS {
        source += &format!("#include <{header}>\n");
    }
    for set in names::sets().values() {
        for (name, value) in set.all() {
            if NOT_IN_LIBC.contains(&name) || name.starts_with("ERESTART") {
                continue;
            }
            source += &format!("_Static_assert((unsigned)({name}) == {value}u, \"{name}\");\n");
        }
    }
    let dir = Dir::new();
    dir.file("names.c", source.as_bytes());
    let cc = std::path::Path::new(env!("CARGO_BIN_EXE_wasmlinux")).with_file_name("wasmlinux-cc");
    let out = std::process::Command::new(cc)
        .args(["-c", "-ferror-limit=0", "names.c"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
}

const HEADERS: &[&str] = &[
    "errno.h",
    "fcntl.h",
    "linux/fs.h",
    "linux/if_packet.h",
    "linux/memfd.h",
    "linux/seccomp.h",
    "netinet/tcp.h",
    "netinet/udp.h",
    "sys/file.h",
    "linux/sockios.h",
    "poll.h",
    "sched.h",
    "signal.h",
    "sys/epoll.h",
    "sys/eventfd.h",
    "sys/inotify.h",
    "sys/ioctl.h",
    "sys/ipc.h",
    "sys/mman.h",
    "sys/mount.h",
    "sys/msg.h",
    "sys/prctl.h",
    "sys/ptrace.h",
    "sys/random.h",
    "sys/reboot.h",
    "sys/resource.h",
    "sys/shm.h",
    "sys/signalfd.h",
    "sys/socket.h",
    "sys/stat.h",
    "sys/time.h",
    "sys/timerfd.h",
    "sys/wait.h",
    "sys/xattr.h",
    "time.h",
    "unistd.h",
    "linux/futex.h",
];
/// The kernel's own, or what libc uses a bit of for itself.
const NOT_IN_LIBC: &[&str] = &["ENOIOCTLCMD", "IPC_STAT", "O_ACCMODE"];

#[test]
fn files_strings_and_errors() {
    let lines = trace("%file,%desc", "cat /etc/hostname; cat /nonexistent");
    has(&lines, r#"openat(AT_FDCWD, "/etc/hostname", O_RDONLY|O_LARGEFILE, 0) = 3"#);
    has(
        &lines,
        r#"openat(AT_FDCWD, "/nonexistent", O_RDONLY|O_LARGEFILE, 0) = -1 ENOENT (No such file or directory)"#,
    );
    has(&lines, r#"execve("/bin/sh", ...) = 0"#);
    assert!(
        lines
            .iter()
            .any(|l| l.starts_with("sendfile64(1, 3, NULL, ") || l.contains("\"wasmlinux\\n\"")),
        "{}",
        lines.join("\n")
    );
}

#[test]
fn children_signals_and_ends() {
    let lines = trace("%process,%signal", "(exit 3); kill -TERM $$");
    has(&lines, "+++ exited with 3 +++");
    has(&lines, "+++ killed by SIGTERM +++");
    let child =
        |l: &&String| l.starts_with("--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=");
    let child = lines.iter().find(child).unwrap_or_else(|| panic!("{}", lines.join("\n")));
    assert!(child.ends_with("si_uid=0, si_status=3} ---"), "{child}");
    assert!(lines.iter().any(|l| l.starts_with("exit_group(3) = ?")), "{}", lines.join("\n"));
}

#[test]
fn a_fault_is_a_signal_with_its_address() {
    let module = test_module("fault");
    let out = output(&["run", "--trace", "--trace-filter", "%signal", module.to_str().unwrap()]);
    let lines = lines(&out.stderr);
    has(&lines, "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x18} ---");
    has(&lines, "--- SIGFPE {si_signo=SIGFPE, si_code=FPE_INTDIV, si_addr=NULL} ---");
    has(&lines, "+++ killed by SIGSEGV +++");
}

#[test]
fn a_filter_shows_what_it_names() {
    let lines = trace("close", "exec 5>/dev/null 5>&-; true");
    let calls: Vec<_> =
        lines.iter().filter(|l| !l.starts_with("+++") && !l.starts_with("execve")).collect();
    assert!(!calls.is_empty() && calls.iter().all(|l| l.starts_with("close(")), "{lines:?}");
    let args = ["run", "--trace", "--trace-filter", "opem", "--", "true"];
    fails(&args, 2, "there is no system call `opem`");
    fails(&["run", "--trace-filter", "read", "--", "true"], 2, "--trace");
}

#[test]
fn a_trace_in_a_file_leaves_the_streams_alone() {
    let dir = Dir::new();
    let file = dir.path().join("trace");
    let trace = format!("--trace={}", file.display());
    let out =
        output_with_input(&["run", &trace, "--", "sh", "-c", "cat; echo err >&2; exit 4"], b"in");
    assert_eq!((text(&out.stdout).as_str(), text(&out.stderr).as_str()), ("in", "err\n"));
    assert_eq!(out.status.code(), Some(4));
    let lines = lines(&std::fs::read(&file).unwrap());
    assert!(lines.iter().any(|l| l.contains(r#""err\n""#)), "{}", lines.join("\n"));
    assert_eq!(lines.last().unwrap(), "+++ exited with 4 +++");
    fails(
        &["run", "--trace=/nowhere/x", "--", "true"],
        125,
        "cannot write the trace to /nowhere/x",
    );
}

#[test]
fn a_call_that_waits_can_be_seen() {
    let args = ["run", "--trace", "--trace-filter", "read", "--", "cat"];
    let mut child = wasmlinux(&args)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.ends_with("read(0, <unfinished ...>\n") {
        line.clear();
        assert_ne!(std::io::BufRead::read_line(&mut stderr, &mut line).unwrap(), 0, "no read");
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_trace_that_nobody_reads_does_not_stop_the_command() {
    let script = "sh -c 'for i in $(seq 20000); do :; done; echo done' && test -e /etc/passwd";
    let mut child = wasmlinux(&["run", "--trace", "--", "sh", "-c", script])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!(text(&out.stdout), "done\n");
    assert_eq!(out.status.code(), Some(0));
}
