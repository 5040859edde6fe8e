//! What is said of programs that crash, and of the kernel when it does.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use common::{output, text, wasmlinux, Dir};

/// The kernel log of a run, without times.
#[track_caller]
fn log(args: &[&str]) -> Vec<String> {
    let dir = Dir::new();
    let file = dir.path().join("log");
    let log = format!("--kernel-log={}", file.display());
    wasmlinux(&[&["run", &log], args].concat()).stdin(Stdio::null()).output().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    text.lines().map(|l| l.split_once("] ").map_or(l, |(_, rest)| rest).to_owned()).collect()
}

/// The functions below the first line that contains `what`.
#[track_caller]
fn chain(log: &[String], what: &str) -> Vec<String> {
    let at = log.iter().position(|l| l.contains(what));
    let at = at.unwrap_or_else(|| panic!("no {what:?} in\n{}", log.join("\n")));
    let lines = log[at + 1..].iter().take_while(|l| l.starts_with("  "));
    lines.map(|l| l.trim().to_owned()).collect()
}

/// Compiles a program whose functions are not inlined.
fn program(dir: &Dir, source: &str) -> String {
    let prelude = "#include <signal.h>\n#include <stdlib.h>\n#include <string.h>\n\
        #define F __attribute__((noinline)) void\nvolatile int *nowhere, zero, sink;\n";
    dir.file("crash.c", format!("{prelude}{source}").as_bytes());
    let cc = Path::new(env!("CARGO_BIN_EXE_wasmlinux")).with_file_name("wasmlinux-cc");
    let args = ["-O1", "-fno-optimize-sibling-calls", "crash.c", "-o", "crash"];
    let out = Command::new(cc).args(args).current_dir(dir.path()).output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    dir.path().join("crash").to_str().unwrap().to_owned()
}

#[test]
fn a_crashed_program_names_the_functions_it_was_in() {
    // Through pointers, so that no compiler makes one function of two.
    let source = "typedef void (*volatile Call)(int);\n\
        F inner(int how) { sink = how; switch (how) {\n\
        case 1: *nowhere = 1; break; case 2: abort(); case 3: __builtin_trap();\n\
        case 4: sink = 7 / zero; } sink = 5; }\n\
        Call call_inner = inner;\n\
        F middle(int how) { call_inner(how); sink = 6; }\n\
        Call call_middle = middle;\n\
        F handler(int s) { call_middle(s == SIGUSR1); sink = 7; }\n\
        F outer(int how) { if (how == 5) { signal(SIGUSR1, handler); raise(SIGUSR1); }\n\
        call_middle(how); sink = 8; }\n\
        Call call_outer = outer;\n\
        int main(int argc, char **argv) { call_outer(atoi(argv[1])); return 0; }\n";
    let dir = Dir::new();
    let path = program(&dir, source);
    for (how, what) in [
        ("1", "segfault at 0 "),
        ("2", "abort"),
        ("3", "trap at 0 "),
        ("4", "arithmetic trap at 0 "),
    ] {
        let log = log(&["--", &path, how]);
        let names = chain(&log, what);
        let wanted = ["inner", "middle", "outer"];
        let found: Vec<_> = names.iter().filter(|n| wanted.contains(&n.as_str())).collect();
        assert_eq!(found, wanted, "{how}: {names:?}");
        assert!(how == "2" || names[0] == "inner", "{how}: {names:?}");
    }
    let names = chain(&log(&["--", &path, "5"]), "segfault at 0 ");
    let expected = ["inner", "middle", "handler"];
    assert_eq!(names[..3], expected, "{names:?}");
    let below: Vec<_> = names.iter().skip_while(|n| *n != "<signal handler called>").collect();
    assert!(below.iter().any(|n| *n == "outer"), "{names:?}");
}

#[test]
fn a_program_of_the_binary_has_names_too() {
    let names = chain(&log(&["--", "sh", "-c", "kill -ABRT $$"]), "sh[");
    for wanted in ["kill_main", "ash_main", "main"] {
        assert!(names.iter().any(|n| n == wanted), "{wanted}: {names:?}");
    }
    assert!(names.len() < 30, "{names:?}");
}

#[test]
fn a_kill_of_another_is_no_crash() {
    let log = log(&["--", "sh", "-c", "sleep 9 & kill -SEGV $!; wait; dmesg | tail -n 3"]);
    assert!(!log.iter().any(|l| l.contains("segfault")), "{}", log.join("\n"));
}

#[test]
fn a_recursion_that_overflows_is_cut_short() {
    let dir = Dir::new();
    let path = program(
        &dir,
        "F down(int n) { char b[64]; memset(b, n, 64); sink = b[n & 63]; down(n + 1); sink = b[1]; }\n\
         int main(void) { down(0); return 0; }\n",
    );
    let names = chain(&log(&["--", &path]), "segfault at ");
    assert!(names.len() > 20 && names.len() < 60 && names.iter().all(|n| n == "down"), "{names:?}");
}

#[test]
fn a_warning_of_the_kernel_has_its_call_chain() {
    let log = log(&["--", "sh", "-c", "echo warn > /dev/machine; cat /proc/uptime"]);
    let names = chain(&log, "Comm: sh");
    assert_eq!(names.last().map(String::as_str), Some("lkl_syscall"), "{names:?}");
    assert!(names.iter().any(|n| n == "lkl_machine_write"), "{names:?}");
}

#[test]
fn a_bad_pointer_in_the_kernel_is_a_panic_with_its_call_chain() {
    let out = output(&["run", "--", "sh", "-c", "echo fault > /dev/machine"]);
    let stderr = text(&out.stderr);
    assert_eq!(out.status.code(), Some(123), "{stderr}");
    let log: Vec<String> = stderr.lines().map(str::to_owned).collect();
    let names = chain(&log, "access to kernel address 0x8 at lkl_machine_write");
    assert_eq!(names, ["lkl_machine_write", "vfs_write", "ksys_write", "lkl_syscall"]);
}

#[test]
fn every_task_can_be_asked_where_it_waits() {
    let script = "sleep 99 & exec 3<>/tmp/x; cat /proc/self/comm; echo t > /proc/sysrq-trigger";
    let log = log(&["--", "sh", "-c", script]);
    let at = log.iter().position(|l| l.contains("task:sleep"));
    let at = at.unwrap_or_else(|| panic!("{}", log.join("\n")));
    let names: Vec<_> = log[at + 1..].iter().take_while(|l| l.starts_with("  ")).collect();
    assert!(names.iter().any(|n| n.contains("hrtimer_nanosleep")), "{names:?}");
}

/// `gdb` on the runner stops in functions of the guest, by their names.
#[test]
fn gdb_knows_the_functions_of_the_guest() {
    if Command::new("gdb").arg("--version").output().is_err() {
        println!("skipped: gdb is not installed");
        return;
    }
    let out = Command::new("gdb")
        .args(["-q", "-batch", "-nx"])
        .args(["-ex", "set pagination off"])
        .args(["-ex", "handle SIGSEGV SIGBUS SIGUSR1 nostop noprint pass"])
        .args(["-ex", "rbreak ^busybox_f[0-9]*_uname_main$"])
        .args(["-ex", "run", "-ex", "bt 12", "-ex", "kill", "--args"])
        .arg(env!("CARGO_BIN_EXE_wasmlinux"))
        .args(["run", "--", "uname", "-s"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = text(&out.stdout);
    let frames: Vec<&str> = text.lines().filter(|l| l.starts_with('#')).collect();
    assert!(frames.first().is_some_and(|f| f.contains("_uname_main")), "{text}");
    for wanted in ["run_applet_no_and_exit", "run_applet_and_exit", "_main"] {
        assert!(frames.iter().any(|f| f.contains(wanted)), "{wanted}: {text}");
    }
}
