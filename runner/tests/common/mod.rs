//! Runs the `wasmlinux` binary as a person or a script would.
#![allow(dead_code)] // each test binary uses its part

pub mod pty;
pub mod serve;
pub mod telnet;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// `wasmlinux run ARGS…`
pub fn wasmlinux(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlinux"));
    command.args(args);
    command
}

/// Runs `wasmlinux ARGS…` with this input and waits.
pub fn output_with_input(args: &[&str], input: &[u8]) -> Output {
    let mut child = wasmlinux(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        // A command that does not read its input closes the pipe early.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the binary ends");
    feeder.join().unwrap();
    output
}

pub fn output(args: &[&str]) -> Output {
    output_with_input(args, b"")
}

/// Runs a script in the guest's shell; its stdout, which must be its only output.
#[track_caller]
pub fn sh(script: &str) -> String {
    sh_on(&[], script)
}

/// The same on a machine with these options.
#[track_caller]
pub fn sh_on(options: &[&str], script: &str) -> String {
    let out = output(&[&["run"], options, &["--", "sh", "-c", script]].concat());
    assert!(
        out.status.success() && out.stderr.is_empty(),
        "{script}\n{}\nstdout: {}\nstderr: {}",
        out.status,
        text(&out.stdout),
        text(&out.stderr)
    );
    text(&out.stdout)
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asserts an exit code and that stderr contains a text.
#[track_caller]
pub fn fails(args: &[&str], code: i32, message: &str) {
    let out = output(args);
    let stderr = text(&out.stderr);
    assert_eq!(out.status.code(), Some(code), "{args:?}: {stderr}");
    assert!(stderr.contains(message), "{args:?}: {stderr}");
}

/// What xtask has built for the guest.
pub fn guest_dir() -> PathBuf {
    match std::env::var_os("WASMLINUX_GUEST") {
        Some(dir) => dir.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guest"),
    }
}

/// Where the guest test programs are, by language.
pub const TEST_DIRS: &[&str] = &["tests", "tests-c++", "tests-rust"];

/// The module of a guest test program.
pub fn test_module(name: &str) -> PathBuf {
    let file = |dir: &&str| guest_dir().join(dir).join(format!("{name}.wasm"));
    let files: Vec<PathBuf> = TEST_DIRS.iter().map(file).collect();
    files.iter().find(|f| f.exists()).unwrap_or(&files[0]).clone()
}

/// A directory of a test's own, removed on drop.
pub struct Dir(tempfile::TempDir);

impl Dir {
    pub fn new() -> Dir {
        Dir(tempfile::Builder::new().prefix("wasmlinux-test-").tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file into the directory; its path as an argument.
    pub fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}
