//! What a careless person or a hostile program may give us.

mod common;

use std::os::unix::process::CommandExt;

use common::{fails, output, test_module, text, wasmlinux, Dir};
use wasmlinux_sdk::finish::Image;

fn test_program(name: &str) -> Vec<u8> {
    std::fs::read(test_module(name)).unwrap()
}

/// A compiler with a flag that makes unforkable code: nothing is loaded, and
/// nothing is kept for the next time.
#[test]
fn a_program_whose_frames_cannot_be_copied_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    let script = "#!/bin/sh\nexec clang-19 \"$@\" -fno-omit-frame-pointer\n";
    let cc = dir.file("cc", script.as_bytes());
    std::fs::set_permissions(&cc, std::fs::Permissions::from_mode(0o755)).unwrap();
    let module = test_module("print");
    let run = |cc: &str| {
        let mut command = wasmlinux(&["run", module.to_str().unwrap()]);
        command.env("XDG_CACHE_HOME", dir.path()).env("CC", cc).output().unwrap()
    };
    for _ in 0..2 {
        let out = run(&cc);
        let stderr = text(&out.stderr);
        assert_eq!(out.status.code(), Some(125), "{stderr}");
        assert!(stderr.contains("cannot be forked: keeps the stack pointer"), "{stderr}");
    }
    let out = run("clang-19");
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
}

#[test]
fn not_a_module() {
    let dir = Dir::new();
    dir.file("hello", b"#!/bin/sh\necho hi\n");
    // `./hello` means this file, whatever it is.
    let out = wasmlinux(&["run", "./hello"]).current_dir(dir.path()).output().unwrap();
    assert_eq!(out.status.code(), Some(125));
    assert!(text(&out.stderr).contains("not a WebAssembly module"), "{}", text(&out.stderr));
}

#[test]
fn a_missing_or_unreadable_file() {
    let dir = Dir::new();
    let run = |name: &str| wasmlinux(&["run", name]).current_dir(dir.path()).output().unwrap();
    for name in ["./nothing", "./."] {
        let out = run(name);
        assert_eq!(out.status.code(), Some(125), "{name}");
        assert!(text(&out.stderr).contains("cannot read"), "{}", text(&out.stderr));
    }
}

#[test]
fn a_truncated_module() {
    let dir = Dir::new();
    let module = test_program("start_exit");
    for len in [8, 40, 100, module.len() / 2, module.len() - 1] {
        let path = dir.file("cut.wasm", &module[..len]);
        fails(&["run", &path], 125, "is not a program for wasmlinux");
    }
}

#[test]
fn a_changed_module() {
    let dir = Dir::new();
    let mut module = test_program("start_exit");
    let middle = module.len() / 2;
    module[middle] ^= 1;
    fails(&["run", &dir.file("x.wasm", &module)], 125, "build id is not its own");
}

#[test]
fn a_module_with_strange_imports() {
    let dir = Dir::new();
    // (module (import "host" "panic" (func)) (import "env" "memory" (memory 1)))
    let body = b"\x01\x04\x01\x60\x00\x00\
        \x02\x1c\x02\x04host\x05panic\x00\x00\x03env\x06memory\x02\x00\x01";
    let module = Image::identify(0x20000, body).prepend(body);
    fails(&["run", &dir.file("x.wasm", &module)], 125, "host.panic");
}

#[test]
fn a_module_that_is_not_valid() {
    let dir = Dir::new();
    // A function whose body leaves nothing for its result.
    let body = b"\x01\x05\x01\x60\x00\x01\x7f\x03\x02\x01\x00\x0a\x04\x01\x02\x00\x0b";
    let module = Image::identify(0x20000, body).prepend(body);
    fails(&["run", &dir.file("x.wasm", &module)], 125, "cannot be translated");
}

#[test]
fn a_module_that_the_guest_does_not_know() {
    // Inside the guest: exec of a module without compiled code, and of garbage.
    let script = "printf '\\0asm\\1\\0\\0\\0' > /tmp/x; chmod +x /tmp/x; env /tmp/x; echo $?; dmesg | tail -n 1";
    let out = output(&["run", "--", "sh", "-c", script]);
    assert!(text(&out.stdout).starts_with("126\n"), "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(text(&out.stdout).contains("linux.image"), "{}", text(&out.stdout));
}

#[test]
fn a_null_pointer_is_the_guests_own_fault() {
    let path = test_module("fault");
    let out = output(&["run", "--kernel-log", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("segfault at 0 "), "{}", text(&out.stderr));
}

#[test]
fn a_full_disk_in_the_cache() {
    let dir = Dir::new();
    let mut command = wasmlinux(&["run", test_module("start_exit").to_str().unwrap()]);
    command.env("XDG_CACHE_HOME", dir.path());
    // SAFETY: only calls that may follow a fork.
    unsafe {
        command.pre_exec(|| {
            let limit = libc::rlimit { rlim_cur: 4096, rlim_max: 4096 };
            libc::setrlimit(libc::RLIMIT_FSIZE, &limit);
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            Ok(())
        });
    }
    let out = command.output().unwrap();
    assert_eq!(out.status.code(), Some(125), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("free some space"), "{}", text(&out.stderr));
    // Nothing half-made is left that a second try would take for good.
    let mut again = wasmlinux(&["run", test_module("start_exit").to_str().unwrap()]);
    let out = again.env("XDG_CACHE_HOME", dir.path()).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
}

#[test]
fn a_damaged_cache_entry_is_replaced() {
    let dir = Dir::new();
    let run = || {
        let mut command = wasmlinux(&["run", test_module("start_exit").to_str().unwrap()]);
        command.env("XDG_CACHE_HOME", dir.path()).output().unwrap()
    };
    assert_eq!(run().status.code(), Some(0));
    let programs = dir.path().join("wasmlinux/programs");
    let objects = std::fs::read_dir(&programs).unwrap().map(|e| e.unwrap().path());
    let object = objects.into_iter().find(|p| p.extension().is_some_and(|e| e == "so")).unwrap();
    let good = std::fs::read(&object).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 0xff;
    std::fs::write(&object, &bad).unwrap();
    assert_eq!(run().status.code(), Some(0));
    assert!(std::fs::read(&object).unwrap() == good);
}
