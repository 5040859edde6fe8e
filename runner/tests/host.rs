//! What a machine costs the host, and programs built with the SDK.

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{output, text, wasmlinux, Dir};

/// CPU time a finished child has used.
fn cpu_time(mut child: Child) -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    let mut status = 0;
    // SAFETY: our own child, waited for once; rusage is filled on success.
    let usage = unsafe {
        let pid = libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr());
        assert_eq!(pid, child.id() as i32);
        usage.assume_init()
    };
    assert_eq!(status, 0, "the command failed");
    // Waited for above: this only closes our ends of its pipes.
    let _ = child.try_wait();
    let time = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec as u64) + Duration::from_micros(t.tv_usec as u64)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

#[test]
fn an_idle_machine_uses_no_cpu() {
    let run = |command: &[&str]| {
        let args = [&["run", "--"], command].concat();
        cpu_time(wasmlinux(&args).stdin(Stdio::null()).spawn().unwrap())
    };
    let (boot, idle) = (run(&["true"]), run(&["sleep", "10"]));
    // The same boot with ten idle seconds more: less than 1 % of a processor.
    assert!(idle < boot + Duration::from_millis(100), "boot {boot:?}, with idle {idle:?}");
}

#[test]
fn guest_tasks_are_no_host_threads() {
    let script = "for i in $(seq 100); do sleep 1000 & done; echo started; read x";
    let mut child = wasmlinux(&["run", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    assert_eq!(line, "started\n");
    let threads = std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap().count();
    assert!(threads <= 8, "{threads} host threads");
    drop(child.stdin.take());
    child.wait().unwrap();
}

struct Project(Dir);

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        let dir = Dir::new();
        for (file, content) in files {
            dir.file(file, content.as_bytes());
        }
        Project(dir)
    }

    /// Runs `wasmlinux-cc`, which must succeed and say nothing.
    #[track_caller]
    fn cc(&self, args: &[&str]) {
        let cc = Path::new(env!("CARGO_BIN_EXE_wasmlinux")).with_file_name("wasmlinux-cc");
        let out = Command::new(&cc).args(args).current_dir(self.0.path()).output();
        let out = out.unwrap_or_else(|e| panic!("{}: {e}", cc.display()));
        assert!(out.status.success() && out.stderr.is_empty(), "{}", text(&out.stderr));
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        let args = [&["run"], args].concat();
        wasmlinux(&args).current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap()
    }
}

#[test]
fn hello_world() {
    let hello = "#include <stdio.h>\n#include <unistd.h>\n\
        int main(int argc, char **argv) {\n\
        printf(\"hello from %s, pid %s\\n\", argc > 1 ? argv[1] : \"?\", getpid() > 1 ? \"ok\" : \"bad\");\n\
        return argc; }\n";
    let project = Project::new(&[("hello.c", hello)]);
    project.cc(&["hello.c", "-o", "hello"]);
    let out = project.run(&["./hello", "the guest"]);
    assert_eq!(text(&out.stdout), "hello from the guest, pid ok\n", "{}", text(&out.stderr));
    assert_eq!(out.status.code(), Some(2));
}

#[test]
fn separate_compilation_libraries_and_thread_locals() {
    let main = "#include <math.h>\n#include <pthread.h>\n#include <stdio.h>\n\
        extern _Thread_local int counter; int next(void);\n\
        static void *other(void *p) { next(); return (void *)(long)next(); }\n\
        int main(void) { void *r; pthread_t t; next(); next(); next();\n\
        pthread_create(&t, 0, other, 0); pthread_join(t, &r);\n\
        printf(\"%d %ld %.3f\\n\", counter, (long)r, sqrt(2.0)); return 0; }\n";
    let part = "_Thread_local int counter; int next(void) { return ++counter; }\n";
    let project = Project::new(&[("main.c", main), ("part.c", part)]);
    project.cc(&["-O2", "-pthread", "-c", "main.c"]);
    project.cc(&["-O2", "-c", "part.c", "-o", "part.o"]);
    project.cc(&["main.o", "part.o", "-lm", "-lpthread", "-o", "program"]);
    let out = project.run(&["./program"]);
    assert_eq!(text(&out.stdout), "3 2 1.414\n", "{}", text(&out.stderr));
}

#[test]
fn a_program_of_the_host_can_run_the_guests_and_the_guest_it() {
    let source = "#include <stdlib.h>\nint main(int argc, char **argv)\n\
        { return argc > 1 ? 5 : system(\"again self; test $? = 5 && id -u\"); }\n";
    let project = Project::new(&[("again.c", source)]);
    project.cc(&["again.c", "-o", "again"]);
    let out = project.run(&["./again"]);
    assert_eq!((text(&out.stdout).as_str(), out.status.code()), ("0\n", Some(0)));
}

#[test]
fn ram_disks_hold_file_systems() {
    let script = "mke2fs /dev/ram0 >/dev/null && mkdir /mnt/r && mount -t ext4 /dev/ram0 /mnt/r \
        && echo kept >/mnt/r/f && cat /mnt/r/f";
    let out = output(&["run", "--", "sh", "-c", script]);
    assert_eq!(text(&out.stdout), "kept\n", "{}", text(&out.stderr));
}
