;; --no-safepoints
(module
  (import "linux" "setjmp" (func $setjmp (param i32) (result i32)))
  (import "linux" "longjmp" (func $longjmp (param i32 i32)))
  (memory 1)
  (global $sp (export "__stack_pointer") (mut i32) (i32.const 4096))
  (func $f (export "f") (result i32)
    (if (result i32) (call $setjmp (i32.const 64))
      (then (i32.const 1))
      (else (call $g) (i32.const 0))))
  (func $g (call $longjmp (i32.const 64) (i32.const 0))))
