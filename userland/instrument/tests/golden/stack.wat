;;
(module
  (import "env" "memory" (memory 1))
  (global $sp (export "__stack_pointer") (mut i32) (i32.const 1024))
  (func $frame (export "frame") (param i32) (result i32) (local $frame i32)
    (global.set $sp (local.tee $frame (i32.sub (global.get $sp) (i32.const 64))))
    (i32.store (local.get $frame) (local.get 0))
    (local.set 0 (i32.load (local.get $frame)))
    (global.set $sp (i32.add (local.get $frame) (i32.const 64)))
    (local.get 0))
  (func $without (export "without") (param i32) (result i32)
    (i32.add (local.get 0) (global.get $sp))))
