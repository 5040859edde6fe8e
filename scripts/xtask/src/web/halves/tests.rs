use super::*;
use crate::web::marks;
use crate::web::module::strip;

const KERNEL: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (import "env" "memory" (memory 1))
  (import "host" "print" (func $print (param i32)))
  (table 4 4 funcref)
  (global $sp (mut i32) (i32.const 7))
  (func $entry (export "entry") (param i32) (result i32)
    (i32.add (call $hot (local.get 0)) (call $cold (local.get 0))))
  (func $hot (type $unary)
    (call_indirect (type $unary) (local.get 0) (i32.const 2)))
  (func $cold (type $unary)
    (call $print (local.get 0))
    (global.set $sp (i32.add (global.get $sp) (i32.const 1)))
    (i32.add (call $colder (local.get 0)) (call $warm)))
  (func $colder (type $unary)
    (call_indirect (type $unary) (local.get 0) (i32.const 1)))
  (func $warm (result i32) (global.get $sp))
  (func $pointer (type $unary) (i32.const 100))
  (func $clear (i32.store (i32.const 8) (i32.const 9)))
  (start $clear)
  (elem (i32.const 1) $pointer $colder_pointer)
  (func $colder_pointer (type $unary) (i32.const 1000))
  (data (i32.const 16) "data"))"#;

fn keep(functions: &[u32]) -> BTreeSet<u32> {
    functions.iter().copied().collect()
}

/// Of each half.
fn imports(halves: &Halves) -> [Vec<String>; 2] {
    [&halves.first, &halves.rest].map(|half| {
        let names = |payload| match payload {
            wasmparser::Payload::ImportSection(imports) => imports
                .into_imports()
                .map(|import| import.map(|i| format!("{}.{}", i.module, i.name)).unwrap())
                .collect(),
            _ => Vec::new(),
        };
        wasmparser::Parser::new(0).parse_all(half).flat_map(|p| names(p.unwrap())).collect()
    })
}

#[test]
fn each_half_imports_what_it_has_not() {
    let kernel = wat::parse_str(KERNEL).unwrap();
    // hot and warm; entry and clear stay whatever was asked for.
    let halves = split(&kernel, &keep(&[1, 4])).unwrap();
    let [first, rest] = imports(&halves);
    assert_eq!(first, ["env.memory", "host.print", "host.rest"]);
    // `warm` is function 5 when imports count.
    let own = ["env.memory", "host.print", "first.5", "first.functions", "first.rest", "first.g0"];
    assert_eq!(rest, own);
}

#[test]
fn any_choice_gives_two_valid_halves() {
    let kernel = wat::parse_str(KERNEL).unwrap();
    for choice in 0..1u32 << 8 {
        let chosen: Vec<u32> = (0..8).filter(|n| choice >> n & 1 == 1).collect();
        // It looks at them itself.
        split(&kernel, &keep(&chosen)).unwrap();
    }
}

const PROGRAM: &str = r#"(module
  (@custom "linux.image" (before first) "image")
  (type $unary (func (param i32) (result i32)))
  (import "env" "memory" (memory 1))
  (import "linux" "syscall" (func $syscall (param i32) (result i32)))
  (import "linux" "longjmp" (tag (param i32)))
  (table 3 3 funcref)
  (global (export "__stack_pointer") (mut i32) (i32.const 7))
  (func (export "_start") (param i32) (drop (call $cold (local.get 0))))
  (func $cold (type $unary) (call_indirect (type $unary) (call $colder (local.get 0)) (i32.const 1)))
  (func $colder (type $unary) (call $syscall (global.get 0)))
  (elem (i32.const 1) $cold $colder)
  (data (i32.const 16) "data"))"#;

#[test]
fn the_rest_of_a_program_is_all_its_code_and_nothing_else() {
    let program = strip(&wat::parse_str(PROGRAM).unwrap()).unwrap();
    let halves = split_program(&program, &keep(&[0])).unwrap();
    let [first, rest] = imports(&halves);
    assert_eq!(first, ["env.memory", "linux.syscall", "linux.longjmp", "linux.rest"]);
    let shared = ["first.functions", "first.rest", "first.g0"];
    assert_eq!(rest, [&["env.memory", "linux.syscall", "linux.longjmp"][..], &shared].concat());
    // Where exec looks for it.
    assert_eq!(halves.first[10..22], *b"\x0blinux.image");
    let has = |half: &[u8], words: &[u8]| half.windows(words.len()).any(|bytes| bytes == words);
    assert!(has(&halves.first, b"data") && !has(&halves.rest, b"data"));
    assert_eq!(code(&program), code(&halves.rest));
    for choice in 0..1u32 << 3 {
        let chosen: Vec<u32> = (0..3).filter(|n| choice >> n & 1 == 1).collect();
        split_program(&program, &keep(&chosen)).unwrap();
    }
    assert!(split_program(&wat::parse_str(KERNEL).unwrap(), &keep(&[])).is_err());
}

fn code(module: &[u8]) -> Vec<u8> {
    let mut parsed = wasmparser::Parser::new(0).parse_all(module).flatten();
    let section = parsed.find_map(|p| p.as_section().filter(|s| s.0 == SectionId::Code as u8));
    let range = section.unwrap().1;
    module[range.start as usize..range.end as usize].to_vec()
}

#[test]
fn what_would_go_wrong_is_refused() {
    let refused = |text: &str, words: &str| {
        let kernel = wat::parse_str(text).unwrap();
        let error = split(&kernel, &keep(&[])).err().expect(words);
        assert!(error.to_string().contains(words), "{error}");
    };
    let table = "(table 1 funcref)";
    refused(&format!("(module {table} (table 1 funcref))"), "2 tables");
    refused(
        &format!("(module {table} (func $f (drop (ref.func $f))) (elem declare func $f))"),
        "no C does",
    );
    refused(&format!("(module (import \"a\" \"b\" (global i32)) {table})"), "a.b");
    assert!(split(&wat::parse_str(KERNEL).unwrap(), &keep(&[8])).is_err());
}

#[test]
fn a_marked_kernel_is_valid_and_tells_how_many_functions_it_has() {
    let (marked, functions) = marks::mark(&wat::parse_str(KERNEL).unwrap()).unwrap();
    assert_eq!(functions, 8);
    Validator::new().validate_all(&marked).unwrap();
}
