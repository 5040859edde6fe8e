;; Exceptions as toolchains have emitted them since 2021 (try, catch,
;; catch_all, rethrow, delegate). The specification's suite has only the newer
;; encoding.

(module
  (tag $e)
  (tag $i (param i32))
  (tag $wide (param i32 i64 f32 f64))
  (table funcref (elem $throw-i $calm))
  (global $trace (mut i32) (i32.const 0))

  (func $throw-i (param i32) (result i32) (throw $i (local.get 0)))
  (func $calm (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $throw-if (param i32) (if (local.get 0) (then (throw $e))))
  (func $note (param i32)
    (global.set $trace (i32.add (i32.mul (global.get $trace) (i32.const 10)) (local.get 0))))
  (func (export "trace") (result i32) (global.get $trace) (global.set $trace (i32.const 0)))

  (func (export "empty") try  catch $e  end)
  (func (export "value") (result i32)
    try (result i32) (i32.const 1) catch $e (i32.const 2) end)
  (func (export "simple") (param i32) (result i32)
    try (result i32) (call $throw-if (local.get 0)) (i32.const 42) catch $e (i32.const 23) end)

  ;; 0: own tag, 1: with a value, 2: catch_all, 3: nothing is thrown.
  (func $throw-which (param i32)
    (block $d (block $c (block $b (block $a
      (br_table $a $b $c $d (local.get 0)))
      (throw $e))
      (throw $i (i32.const 7)))
      (throw $wide (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4))))
  (func (export "which") (param i32) (result i32)
    try (result i32) (call $throw-which (local.get 0)) (i32.const 100) catch $e (i32.const 1) catch $i  catch_all (i32.const 3) end)

  (func (export "wide") (result f64)
    try (result i32 i64 f32 f64) (throw $wide (i32.const 1) (i64.const -2) (f32.const 3.5) (f64.const 4)) catch $wide  catch_all (unreachable) end
    (drop) (drop) (drop)
    (f64.convert_i32_s))
  (func (export "wide-sum") (result f64) (local f64 f32 i64)
    try (result i32) (throw $wide (i32.const 1) (i64.const -2) (f32.const 3.5) (f64.const 4)) catch $wide (local.set 0) (local.set 1) (local.set 2) end
    (f64.convert_i32_s)
    (f64.add (f64.convert_i64_s (local.get 2)))
    (f64.add (f64.promote_f32 (local.get 1)))
    (f64.add (local.get 0)))

  (func (export "indirect") (param i32 i32) (result i32)
    try (result i32) (call_indirect (param i32) (result i32) (local.get 0) (local.get 1)) catch $i (i32.add (i32.const 1000)) end)
  (func (export "traps-pass") (result i32)
    try (result i32) (i32.div_u (i32.const 1) (i32.const 0)) catch_all (i32.const 1) end)
  (func (export "trap-in-callee") (result i32)
    try (result i32) (call_indirect (param i32) (result i32) (i32.const 0) (i32.const 9)) catch_all (i32.const 1) end)
  (func (export "uncaught") (param i32) (result i32)
    try (result i32) (throw $i (local.get 0)) catch $e (i32.const 1) end)

  ;; A local keeps what the body made of it.
  (func (export "locals") (result i32) (local $n i32)
    try (local.set $n (i32.const 5))
        (call $throw-if (i32.const 1))
        (local.set $n (i32.const 6)) catch $e  end
    (local.get $n))
  ;; What lies below a try on the operand stack stays.
  (func (export "below") (result i32)
    (i32.const 30)
    try (result i32) (i32.const 4) (drop (call $throw-i (i32.const 8))) catch $i  end
    (i32.sub))
  (func (export "params") (param i32) (result i32)
    (local.get 0) (i32.const 2)
    try (param i32 i32) (result i32) (i32.mul) (call $throw-if (i32.eq (local.get 0) (i32.const 9))) catch_all (i32.const -1) end)

  (func (export "rethrow") (param i32) (result i32)
    try (result i32) try (result i32) (throw $i (local.get 0)) catch $i (drop)
            (call $note (i32.const 1))
            (rethrow 0) end catch $i (call $note (i32.const 2)) end)
  (func (export "rethrow-all") (result i64)
    try (result i64) try (result i64) (call $throw-which (i32.const 2)) (i64.const 0) catch_all ;; Another exception in between must not disturb it.
            try (throw $wide (i32.const 9) (i64.const 9) (f32.const 9) (f64.const 9)) catch_all (call $note (i32.const 3)) end
            (if (result i64) (i32.const 1) (then (rethrow 1)) (else (i64.const 5))) end catch $wide (drop) (drop) (i64.add (i64.const 100)) (return) catch_all (i64.const -1) end)
  ;; Of two handlers, the outer one's.
  (func (export "rethrow-outer") (result i32)
    try (result i32) try (throw $i (i32.const 1)) catch $i (drop)
            try (throw $i (i32.const 2)) catch $i (drop) (rethrow 1) end end
        (i32.const 0) catch $i  end)
  ;; A try around the rethrow, within the handler, gets it first.
  (func (export "rethrow-inner") (result i32)
    try (result i32) try (result i32) (throw $i (i32.const 1)) catch $i (drop)
            try (result i32) (rethrow 1) catch $i (i32.add (i32.const 10)) end end catch $i (i32.add (i32.const 20)) end)
  (func (export "throw-in-handler") (result i32)
    try (result i32) try (result i32) (throw $e) catch $e (throw $i (i32.const 6)) catch $i (unreachable) catch_all (unreachable) end catch $i  end)

  (func (export "delegate-try") (result i32)
    try $outer (result i32) try (result i32) try (result i32) (call $throw-i (i32.const 3)) delegate $outer catch $i (drop) (unreachable) end catch $i  end)
  (func (export "delegate-block") (result i32)
    try (result i32) (block $b (result i32)
          try (result i32) try (result i32) (call $throw-i (i32.const 4)) delegate $b catch_all (unreachable) end) catch $i  end)
  (func (export "delegate-function") (result i32)
    try (result i32) try (result i32) (call $throw-i (i32.const 5)) delegate 1 catch_all (unreachable) end)
  (func (export "delegate-calm") (param i32) (result i32)
    try (result i32) try $t (result i32) (br_if $t (i32.const 11) (local.get 0)) (drop) (i32.const 12) delegate 0 catch_all (unreachable) end)
  (func (export "delegate-to-handler") (result i32)
    try (result i32) try $t (result i32) (throw $e) catch $e ;; The handlers of $t are over: it goes on to the outer try.
            try (result i32) (call $throw-i (i32.const 13)) delegate $t catch $i (drop) (unreachable) end catch $i  end)

  (func (export "branch-out") (param i32) (result i32)
    (block $out (result i32)
      try (result i32) (br_if $out (i32.const 1) (i32.eqz (local.get 0)))
          (drop)
          (call $throw-if (i32.eq (local.get 0) (i32.const 1)))
          (i32.const 2) catch_all (br $out (i32.const 3)) end
      (i32.add (i32.const 10))))
  (func (export "return-out") (param i32) (result i32)
    try (if (local.get 0) (then (return (i32.const 1)))) (throw $e) catch_all (return (i32.const 2)) end
    (i32.const 3))
  ;; Every second turn throws.
  (func (export "loop") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      try (call $throw-if (i32.and (local.get $n) (i32.const 1)))
          (local.set $sum (i32.add (local.get $sum) (i32.const 1))) catch $e (local.set $sum (i32.add (local.get $sum) (i32.const 1000))) end
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func $deep (export "deep") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (throw $i (i32.const 77))))
    (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
  (func (export "from-deep") (result i32)
    try (result i32) (call $deep (i32.const 1000)) catch $i  end)
  ;; Handlers that nothing can reach, and a body that ends in neither way.
  (func (export "dead") (result i32)
    try (result i32) (return (i32.const 1)) catch $i  catch_all (i32.const 3) end)
  (func (export "dead-after") (result i32)
    try (throw $e) catch_all (return (i32.const 8)) end
    (unreachable))
  ;; What a handler covers does not throw, which the callers rely on.
  (func $covered try (throw $e) catch_all  end)
  (func (export "covered") (result i32) (call $covered) (i32.const 4))
)

(assert_return (invoke "empty"))
(assert_return (invoke "value") (i32.const 1))
(assert_return (invoke "simple" (i32.const 0)) (i32.const 42))
(assert_return (invoke "simple" (i32.const 1)) (i32.const 23))
(assert_return (invoke "which" (i32.const 0)) (i32.const 1))
(assert_return (invoke "which" (i32.const 1)) (i32.const 7))
(assert_return (invoke "which" (i32.const 2)) (i32.const 3))
(assert_return (invoke "which" (i32.const 3)) (i32.const 100))
(assert_return (invoke "wide") (f64.const 1))
(assert_return (invoke "wide-sum") (f64.const 6.5))
(assert_return (invoke "indirect" (i32.const 5) (i32.const 0)) (i32.const 1005))
(assert_return (invoke "indirect" (i32.const 5) (i32.const 1)) (i32.const 6))
(assert_trap (invoke "traps-pass") "integer divide by zero")
(assert_trap (invoke "trap-in-callee") "undefined element")
(assert_exception (invoke "uncaught" (i32.const 1)))
;; Nothing is left over from it.
(assert_return (invoke "simple" (i32.const 0)) (i32.const 42))
(assert_return (invoke "locals") (i32.const 5))
(assert_return (invoke "below") (i32.const 22))
(assert_return (invoke "params" (i32.const 8)) (i32.const 16))
(assert_return (invoke "params" (i32.const 9)) (i32.const -1))
(assert_return (invoke "rethrow" (i32.const 55)) (i32.const 55))
(assert_return (invoke "trace") (i32.const 12))
(assert_return (invoke "rethrow-all") (i64.const 102))
(assert_return (invoke "trace") (i32.const 3))
(assert_return (invoke "rethrow-outer") (i32.const 1))
(assert_return (invoke "rethrow-inner") (i32.const 11))
(assert_return (invoke "throw-in-handler") (i32.const 6))
(assert_return (invoke "delegate-try") (i32.const 3))
(assert_return (invoke "delegate-block") (i32.const 4))
(assert_exception (invoke "delegate-function"))
(assert_return (invoke "delegate-calm" (i32.const 0)) (i32.const 12))
(assert_return (invoke "delegate-calm" (i32.const 1)) (i32.const 11))
(assert_return (invoke "delegate-to-handler") (i32.const 13))
(assert_return (invoke "branch-out" (i32.const 0)) (i32.const 1))
(assert_return (invoke "branch-out" (i32.const 1)) (i32.const 3))
(assert_return (invoke "branch-out" (i32.const 2)) (i32.const 12))
(assert_return (invoke "return-out" (i32.const 0)) (i32.const 2))
(assert_return (invoke "return-out" (i32.const 1)) (i32.const 1))
(assert_return (invoke "loop" (i32.const 10)) (i32.const 5005))
(assert_exception (invoke "deep" (i32.const 3)))
(assert_return (invoke "from-deep") (i32.const 77))
(assert_return (invoke "dead") (i32.const 1))
(assert_return (invoke "dead-after") (i32.const 8))
(assert_return (invoke "covered") (i32.const 4))

(assert_invalid (module (func (rethrow 0))) "invalid rethrow label")
(assert_invalid (module (func try (rethrow 0) catch_all  end)) "invalid rethrow label")
(assert_invalid (module (tag (param i32)) (func try  catch 0  end)) "type mismatch")
