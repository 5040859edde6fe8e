;; wasm2c --mode gs --name prog --safepoints
;; A constant table with holes, and where interrupts are polled: loops, and one
;; function of each cycle of the call graph.
(module
  (import "env" "memory" (memory 1))
  (type $binary (func (param i32 i32) (result i32)))
  (table (export "table") 20 funcref)
  (elem (i32.const 10) $add)
  (elem (i32.const 12) $sub $again)
  (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
  (func $sub (type $binary) (i32.sub (local.get 0) (local.get 1)))
  (func $again (type $binary) (call $apply (local.get 0) (local.get 1) (i32.const 10)))
  (func $apply (param i32 i32 i32) (result i32)
    (call_indirect (type $binary) (local.get 0) (local.get 1) (local.get 2)))
  (func $even (param i32) (result i32)
    (if (result i32) (local.get 0) (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
  (func $odd (param i32) (result i32)
    (if (result i32) (local.get 0) (then (call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
  (func (export "sum") (param $n i32) (result i32) (local $s i32)
    (block $done
      (loop $l
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $s (i32.add (local.get $s) (i32.load8_u offset=100 (local.get $n))))
        (local.set $n (i32.add (local.get $n) (i32.const -1)))
        (br $l)))
    (local.get $s))
  (func $leaf (export "leaf") (param i32) (result i32 i64) (call $even (local.get 0)) (i64.const 3))
  (func (export "pair") (result i64) (local i64)
    (call $leaf (i32.const 1)) (local.set 0) drop (local.get 0)))
