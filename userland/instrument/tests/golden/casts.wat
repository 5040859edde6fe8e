;; --no-safepoints
;; Calls of functions of another type: any of them may fork, so the adapters can
;; save themselves. What no C type has (two results) traps as ever.
(module
  (import "linux" "fork" (func $fork (result i32)))
  (memory 1)
  (type $plain (func (param i32) (result i32)))
  (type $quiet (func (param f64 i64) (result f32)))
  (type $pair (func (result i32 i32)))
  (table 4 funcref)
  (elem (i32.const 1) $forks $real $two)
  (func $forks (type $plain) (call $fork))
  (func $real (type $quiet) (f32.demote_f64 (local.get 0)))
  (func $two (type $pair) (i32.const 1) (i32.const 2))
  (func (export "calls") (param $f i32) (result i32)
    (drop (call_indirect (type $quiet) (f64.const 1) (i64.const 2) (local.get $f)))
    (call_indirect (type $plain) (i32.const 3) (local.get $f)))
  (func (export "none") (param $f i32) (result f32)
    (call_indirect (type $quiet) (f64.const 1) (i64.const 2) (local.get $f)))
  (func (export "pair") (param $f i32)
    (call_indirect (type $pair) (local.get $f)) drop drop))
