;; wasm2c --mode gs --name prog --safepoints --casts
;; Calls through pointers of another type: fewer and more arguments, other
;; widths, floating-point values beside integers, other results. What no C type
;; has (two results, references) traps as ever.
(module
  (import "env" "memory" (memory 1))
  (type $none (func))
  (type $binary (func (param i32 i32) (result i32)))
  (type $mixed (func (param f64 i32 f32 i64) (result f32)))
  (type $pair (func (param i32) (result i32 i32)))
  (type $ref (func (param externref)))
  (table (export "table") 20 funcref)
  (elem (i32.const 10) $nothing $add $mix $two $take)
  (func $nothing (type $none))
  (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
  (func $mix (type $mixed) (f32.add (local.get 2) (f32.demote_f64 (local.get 0))))
  (func $two (type $pair) (local.get 0) (local.get 0))
  (func $take (type $ref))
  (func (export "call") (param $f i32)
    (call_indirect (type $none) (local.get $f))
    (drop (call_indirect (type $binary) (i32.const 1) (i32.const 2) (local.get $f)))
    (drop (call_indirect (type $mixed) (f64.const 1) (i32.const 2) (f32.const 3) (i64.const 4) (local.get $f)))
    (call_indirect (type $pair) (i32.const 1) (local.get $f)) drop drop
    (call_indirect (type $ref) (ref.null extern) (local.get $f))))
