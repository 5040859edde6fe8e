;; User access to one process: two memories. Lives as long as the memory, over
;; all the processes that use it. Addresses below `$base` are never mapped; the
;; memory reaches as far as anything ever was.
(module
  (import "kernel" "memory" (memory $kernel 1))
  (import "user" "memory" (memory $user 1))
  (global $base i32 (i32.const 0x10000))

  ;; How many of `$len` bytes at `$at` can be accessed.
  (func $room (param $at i32) (param $len i32) (result i32) (local $end i64)
    (if (i32.lt_u (local.get $at) (global.get $base)) (then (return (i32.const 0))))
    (local.set $end (i64.shl (i64.extend_i32_u (memory.size $user)) (i64.const 16)))
    (if (i64.le_u
          (i64.add (i64.extend_i32_u (local.get $at)) (i64.extend_i32_u (local.get $len)))
          (local.get $end))
      (then (return (local.get $len))))
    (if (i64.ge_u (i64.extend_i32_u (local.get $at)) (local.get $end))
      (then (return (i32.const 0))))
    (i32.wrap_i64 (i64.sub (local.get $end) (i64.extend_i32_u (local.get $at)))))

  ;; Each returns the bytes it did not copy.
  (func (export "copy_from") (param $to i32) (param $from i32) (param $len i32) (result i32)
    (local $n i32)
    (local.set $n (call $room (local.get $from) (local.get $len)))
    ;; An address outside traps even when nothing is copied.
    (if (i32.eqz (local.get $n)) (then (return (local.get $len))))
    ;; What system calls pass; memory.copy is a call of the engine's.
    (if (i32.eq (local.get $n) (i32.const 4))
      (then (i32.store $kernel (local.get $to) (i32.load $user (local.get $from))))
      (else (if (i32.eq (local.get $n) (i32.const 8))
        (then (i64.store $kernel (local.get $to) (i64.load $user (local.get $from))))
        (else (if (i32.eq (local.get $n) (i32.const 16))
          (then (v128.store $kernel (local.get $to) (v128.load $user (local.get $from))))
          (else (if (i32.eq (local.get $n) (i32.const 1))
            (then (i32.store8 $kernel (local.get $to) (i32.load8_u $user (local.get $from))))
            (else (memory.copy $kernel $user (local.get $to) (local.get $from) (local.get $n))))))))))
    (i32.sub (local.get $len) (local.get $n)))
  (func (export "copy_to") (param $to i32) (param $from i32) (param $len i32) (result i32)
    (local $n i32)
    (local.set $n (call $room (local.get $to) (local.get $len)))
    (if (i32.eqz (local.get $n)) (then (return (local.get $len))))
    ;; What system calls pass; memory.copy is a call of the engine's.
    (if (i32.eq (local.get $n) (i32.const 4))
      (then (i32.store $user (local.get $to) (i32.load $kernel (local.get $from))))
      (else (if (i32.eq (local.get $n) (i32.const 8))
        (then (i64.store $user (local.get $to) (i64.load $kernel (local.get $from))))
        (else (if (i32.eq (local.get $n) (i32.const 16))
          (then (v128.store $user (local.get $to) (v128.load $kernel (local.get $from))))
          (else (if (i32.eq (local.get $n) (i32.const 1))
            (then (i32.store8 $user (local.get $to) (i32.load8_u $kernel (local.get $from))))
            (else (memory.copy $user $kernel (local.get $to) (local.get $from) (local.get $n))))))))))
    (i32.sub (local.get $len) (local.get $n)))
  (func (export "clear") (param $to i32) (param $len i32) (result i32) (local $n i32)
    (local.set $n (call $room (local.get $to) (local.get $len)))
    (if (i32.eqz (local.get $n)) (then (return (local.get $len))))
    (memory.fill $user (local.get $to) (i32.const 0) (local.get $n))
    (i32.sub (local.get $len) (local.get $n)))

  ;; Bytes before the NUL, `$len` when there is none, -EFAULT.
  (func (export "strncpy") (param $to i32) (param $from i32) (param $len i32) (result i32)
    (local $n i32) (local $i i32) (local $byte i32)
    (local.set $n (call $room (local.get $from) (local.get $len)))
    (loop $next
      (if (i32.eq (local.get $i) (local.get $n))
        (then (return (select (local.get $len) (i32.const -14)
          (i32.eq (local.get $n) (local.get $len))))))
      (local.set $byte (i32.load8_u $user (i32.add (local.get $from) (local.get $i))))
      (i32.store8 $kernel (i32.add (local.get $to) (local.get $i)) (local.get $byte))
      (if (i32.eqz (local.get $byte)) (then (return (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next))
    (unreachable))

  ;; Length with the NUL, `$len` + 1 when there is none, 0 on a fault.
  (func (export "strnlen") (param $from i32) (param $len i32) (result i32)
    (local $n i32) (local $i i32)
    (local.set $n (call $room (local.get $from) (local.get $len)))
    (loop $next
      (if (i32.eq (local.get $i) (local.get $n))
        (then (return (select (i32.add (local.get $len) (i32.const 1)) (i32.const 0)
          (i32.eq (local.get $n) (local.get $len))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next
        (i32.load8_u $user (i32.sub (i32.add (local.get $from) (local.get $i)) (i32.const 1)))))
    (local.get $i))

  ;; Makes pages `$page` to `$end` zero, of 4 KiB. What is zero is only read, so
  ;; that a page which nobody touched stays the host's own zero page.
  (func (export "wipe") (param $page i32) (param $end i32)
    (local $at i32) (local $stop i32)
    (loop $pages
      (if (i32.ge_u (local.get $page) (local.get $end)) (then (return)))
      (local.set $at (i32.shl (local.get $page) (i32.const 12)))
      (local.set $stop (i32.add (local.get $at) (i32.const 4096)))
      (block $done
        (loop $next
          (if (v128.any_true
                (v128.or
                  (v128.or
                    (v128.or (v128.load $user (local.get $at))
                      (v128.load $user offset=16 (local.get $at)))
                    (v128.or (v128.load $user offset=32 (local.get $at))
                      (v128.load $user offset=48 (local.get $at))))
                  (v128.or
                    (v128.or (v128.load $user offset=64 (local.get $at))
                      (v128.load $user offset=80 (local.get $at)))
                    (v128.or (v128.load $user offset=96 (local.get $at))
                      (v128.load $user offset=112 (local.get $at))))))
            (then
              (memory.fill $user (i32.shl (local.get $page) (i32.const 12)) (i32.const 0)
                (i32.const 4096))
              (br $done)))
          (local.set $at (i32.add (local.get $at) (i32.const 128)))
          (br_if $next (i32.ne (local.get $at) (local.get $stop)))))
      (local.set $page (i32.add (local.get $page) (i32.const 1)))
      (br $pages)))
)
