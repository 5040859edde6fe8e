;;
(module
  (memory 1)
  (func $leaf (export "leaf") (param i32) (result i32)
    (loop $again (result i32)
      (br_if $again (local.tee 0 (i32.shr_u (local.get 0) (i32.const 1))))
      (i32.const 7)))
  (func $calls (param i32)
    (loop $again
      (br_if $again (call $leaf (local.get 0)))))
  (func $recursive (param i32)
    (if (local.get 0) (then (call $recursive (i32.sub (local.get 0) (i32.const 1)))))))
