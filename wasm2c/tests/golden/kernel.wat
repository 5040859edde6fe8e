;; wasm2c --colocated --name kernel --direct host=host_ --header lkl_host_inline.h --safepoints
;; The kernel's mode: the instance lies below its memory, host operations are C
;; functions, one of them is also in the table.
(module
  (import "host" "print" (func $print (param i32 i32)))
  (import "host" "clock_ns" (func $clock (result i64)))
  (memory (export "memory") 1)
  (table 8194 8194 funcref)
  (elem (i32.const 8192) $print $tick)
  (data (i32.const 65536) "\01\02")
  (func $tick (param i32 i32)
    (block $b (block $a
      (br_table $a $a $b $a (local.get 0)))
      (i64.store (i32.const 8) (i64.div_u (call $clock) (i64.const 1000))))
    (i32.store16 offset=4 (local.get 1)
      (select (i32.const 5) (i32.load (local.get 0)) (i32.gt_s (local.get 0) (i32.const -3))))
    (memory.copy (local.get 0) (local.get 1) (i32.const 16)))
  (func (export "lkl.poll") (param f64) (result i32)
    (i32.trunc_f64_s (f64.mul (local.get 0) (f64.const 0.1)))))
