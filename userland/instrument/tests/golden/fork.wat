;; --no-safepoints
(module
  (import "linux" "fork" (func $fork (result i32)))
  (memory 1)
  (func $f (export "f") (param i32) (result i32)
    (loop $again
      (if (i32.load (local.get 0))
        (then (local.set 0 (i32.add (i32.load offset=4 (local.get 0)) (call $fork)))
              (br $again))))
    (i32.mul (call $fork) (local.get 0)))
  (func $g (param i32) (result i32) (i32.sub (local.get 0) (i32.const 1))))
