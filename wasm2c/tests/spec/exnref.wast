;; What the specification's suite leaves out of try_table and exnref, in one
;; module each, so that gs mode runs it too.

(module
  (tag $e)
  (tag $i (param i32))
  (tag $l (param i64))
  (global $kept (mut exnref) (ref.null exn))

  (func $throw (param i32)
    (block $c (block $b (block $a
      (br_table $a $b $c (local.get 0)))
      (throw $e))
      (throw $i (i32.const 70)))
      (throw $l (i64.const 0x123456789abcdef0)))

  ;; References through functions, globals, locals, select.
  (func $catch (param i32) (result exnref)
    (block $h (result exnref)
      (try_table (catch_all_ref $h) (call $throw (local.get 0)))
      (unreachable)))
  (func $choose (param exnref exnref i32) (result exnref)
    (select (result exnref) (local.get 0) (local.get 1) (local.get 2)))
  (func (export "keep") (param i32) (global.set $kept (call $catch (local.get 0))))
  (func (export "is-null") (result i32) (ref.is_null (global.get $kept)))
  (func (export "again") (result i64)
    (block $l (result i64)
      (i64.extend_i32_u (block $i (result i32)
        (block $e
          (try_table (catch $e $e) (catch $i $i) (catch $l $l)
            (throw_ref (global.get $kept)))
          (unreachable))
        (i32.const 1)))))
  (func (export "chosen") (param i32) (result i32)
    (block $i (result i32)
      (block $e
        (try_table (catch $e $e) (catch $i $i)
          (throw_ref
            (call $choose (call $catch (i32.const 0)) (call $catch (i32.const 1)) (local.get 0))))
        (unreachable))
      (i32.const 1)))
  (func (export "null") (throw_ref (ref.null exn)))
  (func (export "null-in-try")
    (block $h (try_table (catch_all $h) (throw_ref (ref.null exn))) (return)))

  ;; A handler may be the function's end or a loop's beginning.
  (func (export "to-function") (param i32) (result i32)
    (try_table (result i32) (catch $i 0) (call $throw (local.get 0)) (i32.const 1)))
  (func (export "to-loop") (param $n i32) (result i32) (local $turns i32)
    (loop $next
      (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
      (try_table (catch $e $next)
        (if (local.tee $n (i32.sub (local.get $n) (i32.const 1)))
          (then (throw $e)))))
    (local.get $turns))
  (func (export "to-loop-value") (result i32)
    (i32.const 10)
    (loop $next (param i32) (result i32)
      (try_table (param i32) (result i32) (catch $i $next)
        (if (param i32) (result i32) (i32.lt_u (global.get $turn) (i32.const 5))
          (then
            (global.set $turn (i32.add (global.get $turn) (i32.const 1)))
            (i32.add (global.get $turn))
            (throw $i))))))
  (global $turn (mut i32) (i32.const 0))

  ;; The first clause that fits; the inner table first.
  (func (export "order") (param i32) (result i32)
    (block $c (block $b (block $a
      (try_table (catch $e $a) (catch_all $c)
        (try_table (catch $e $b) (catch $e $a)
          (call $throw (local.get 0))))
      (return (i32.const 0)))
      (return (i32.const 1)))
      (return (i32.const 2)))
    (i32.const 3))
)

(assert_return (invoke "is-null") (i32.const 1))
(assert_return (invoke "keep" (i32.const 0)))
(assert_return (invoke "is-null") (i32.const 0))
(assert_return (invoke "again") (i64.const 1))
(assert_return (invoke "keep" (i32.const 1)))
(assert_return (invoke "again") (i64.const 70))
(assert_return (invoke "again") (i64.const 70))
(assert_return (invoke "keep" (i32.const 2)))
(assert_return (invoke "again") (i64.const 0x123456789abcdef0))
(assert_return (invoke "chosen" (i32.const 0)) (i32.const 70))
(assert_return (invoke "chosen" (i32.const 1)) (i32.const 1))
(assert_trap (invoke "null") "null exception reference")
(assert_trap (invoke "null-in-try") "null exception reference")
(assert_return (invoke "to-function" (i32.const 1)) (i32.const 70))
(assert_exception (invoke "to-function" (i32.const 0)))
(assert_return (invoke "to-loop" (i32.const 6)) (i32.const 6))
(assert_return (invoke "to-loop-value") (i32.const 25))

(assert_return (invoke "order" (i32.const 0)) (i32.const 2))
(assert_return (invoke "order" (i32.const 1)) (i32.const 3))

;; Several values.
(module
  (tag $w (param i32 f64 i64))
  (func $throw (throw $w (i32.const 3) (f64.const 0.5) (i64.const 9)))
  (func (export "several") (result f64) (local f64)
    (block $h (result i32 f64 i64)
      (try_table (catch $w $h) (call $throw))
      (unreachable))
    (f64.convert_i64_s)
    (f64.add)
    (local.set 0)
    (f64.mul (f64.convert_i32_s) (local.get 0)))
)

(assert_return (invoke "several") (f64.const 28.5))
