;; wasm2c --name lib
;; Base mode: everything may come from, or go to, another instance.
(module
  (import "m" "f" (func $f (param i32) (result i32 f64)))
  (import "m" "g" (global $g i32))
  (import "m" "t" (table $t 1 funcref))
  (memory (export "memory") 1 4)
  (global (export "own") (mut f32) (f32.const nan:0x200000))
  (elem (table $t) (global.get $g) func $use)
  (elem $passive funcref (ref.func $use) (ref.null func))
  (data (global.get $g) "abc")
  (data $late "def")
  (func $use (export "use") (param i32) (result i32)
    (call $f (local.get 0)) (drop)
    (table.init $t $passive (i32.const 0) (i32.const 0) (i32.const 2))
    (memory.init $late (i32.const 0) (i32.const 0) (i32.const 3))
    (data.drop $late)
    (drop (memory.grow (i32.const 1)))
    (i32.add (call_indirect $t (param i32) (result i32) (i32.const 0) (local.get 0)))))
