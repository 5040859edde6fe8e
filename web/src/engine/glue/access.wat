;; What the kernel calls without a JavaScript frame in between: user access to
;; the current process, its stack and thread pointer, what the kernel wants done
;; when it goes back to user mode, and the pending word. Instantiated before the
;; kernel.
;;
;; A process memory owns a row of the table; row 0 belongs to none, its functions
;; fault. `$current` is the first slot of the current process's row.
(module
  (type $copy (func (param i32 i32 i32) (result i32)))
  (type $range (func (param i32 i32) (result i32)))
  (type $get (func (result i32)))
  (type $clock (func (result f64)))

  (import "env" "memory" (memory $kernel 1))
  (import "js" "clock_ns" (func $clock_ns (type $clock)))
  (import "js" "realtime_ns" (func $realtime_ns (type $clock)))
  ;; Looks at the clock. True: the event loop wants its turn.
  (import "js" "check" (func $check (result i32)))
  ;; Suspends for one turn of the event loop.
  (import "js" "breathe" (func $breathe))
  (import "js" "timer_set" (func $timer_set (param f64)))
  ;; Suspends until an interrupt is pending.
  (import "js" "idle" (func $idle))
  ;; Suspends until another task switches to `$prev`; 1: it is dead.
  (import "js" "switch" (func $switch (param $prev i32) (param $next i32) (result i32)))

  ;; Slots of a row: the same numbers as in rows.ts.
  ;; 0 copy_from 1 copy_to 2 clear 3 strncpy 4 strnlen 5 sp 6 tls 7 set 8 start
  ;; 9 thread 10 signal 11 resignal
  (table (export "rows") 16 funcref)
  (global $current (export "current") (mut i32) (i32.const 0))

  ;; What to do on return to user mode: 0 nothing, 1 start the program, 2 run a
  ;; signal handler.
  (global $upcall (export "upcall") (mut i32) (i32.const 0))
  (global $handler (export "handler") (mut i32) (i32.const 0))
  (global $sig (export "sig") (mut i32) (i32.const 0))
  (global $info (export "info") (mut i32) (i32.const 0))
  (global $ctx (export "ctx") (mut i32) (i32.const 0))
  (global $sp (export "sp") (mut i32) (i32.const 0))
  (global $siginfo (export "siginfo") (mut i32) (i32.const 0))

  ;; Top of the running task's kernel stack.
  (global $kstack (export "kstack") (mut i32) (i32.const 0))

  ;; The clock as it was read last, and how often it may be taken for current, as to
  ;; ask costs half a task switch: by anybody until the next entry to the kernel, and
  ;; by the scheduler until the next interrupt or look at the event loop. A prime
  ;; number of times, so that tasks in turn are charged in turn.
  (global $now (mut i64) (i64.const 0))
  (global $fresh (export "fresh") (mut i32) (i32.const 0))
  (global $sched (export "sched") (mut i32) (i32.const 0))

  ;; The machine has ended: whatever still comes back to the kernel traps.
  (global $ended (export "ended") (mut i32) (i32.const 0))

  (func $none_copy (export "none_copy") (param i32 i32 i32) (result i32) (local.get 2))
  (func $none_clear (export "none_clear") (param i32 i32) (result i32) (local.get 1))
  (func $none_strncpy (export "none_strncpy") (param i32 i32 i32) (result i32) (i32.const -14))
  (func $none_strnlen (export "none_strnlen") (param i32 i32) (result i32) (i32.const 0))
  (func $none_get (export "none_get") (result i32) (i32.const 0))
  (elem (i32.const 0) $none_copy $none_copy $none_clear $none_strncpy $none_strnlen
    $none_get $none_get)

  (func (export "mm_activate") (param $mm i32)
    (global.set $current (i32.shl (local.get $mm) (i32.const 4))))

  (func (export "copy_from_user") (type $copy)
    (call_indirect (type $copy) (local.get 0) (local.get 1) (local.get 2) (global.get $current)))
  (func (export "copy_to_user") (type $copy)
    (call_indirect (type $copy) (local.get 0) (local.get 1) (local.get 2)
      (i32.add (global.get $current) (i32.const 1))))
  (func (export "clear_user") (type $range)
    (call_indirect (type $range) (local.get 0) (local.get 1)
      (i32.add (global.get $current) (i32.const 2))))
  (func (export "strncpy_from_user") (type $copy)
    (call_indirect (type $copy) (local.get 0) (local.get 1) (local.get 2)
      (i32.add (global.get $current) (i32.const 3))))
  (func (export "strnlen_user") (type $range)
    (call_indirect (type $range) (local.get 0) (local.get 1)
      (i32.add (global.get $current) (i32.const 4))))
  (func (export "user_sp") (type $get)
    (call_indirect (type $get) (i32.add (global.get $current) (i32.const 5))))
  (func (export "user_tls") (type $get)
    (call_indirect (type $get) (i32.add (global.get $current) (i32.const 6))))

  (func (export "user_start") (param $at i32)
    (global.set $sp (local.get $at))
    (global.set $upcall (i32.const 1)))
  (func (export "user_signal") (param i32 i32 i32 i32 i32 i32)
    (global.set $handler (local.get 0))
    (global.set $sig (local.get 1))
    (global.set $info (local.get 2))
    (global.set $ctx (local.get 3))
    (global.set $sp (local.get 4))
    (global.set $siginfo (local.get 5))
    (global.set $upcall (i32.const 2)))

  ;; What belongs to the task that leaves lies in this frame until it comes back.
  (func (export "switch") (param $prev i32) (param $next i32) (result i32)
    (local $stack i32)
    (local $u i32) (local $h i32) (local $s i32) (local $i i32) (local $c i32) (local $p i32)
    (local $si i32)
    (local.set $stack (global.get $kstack))
    (local.set $u (global.get $upcall))
    (local.set $h (global.get $handler))
    (local.set $s (global.get $sig))
    (local.set $i (global.get $info))
    (local.set $c (global.get $ctx))
    (local.set $p (global.get $sp))
    (local.set $si (global.get $siginfo))
    (global.set $upcall (i32.const 0))
    (if (call $switch (local.get $prev) (local.get $next)) (then (return (i32.const 1))))
    (global.set $kstack (local.get $stack))
    (global.set $upcall (local.get $u))
    (global.set $handler (local.get $h))
    (global.set $sig (local.get $s))
    (global.set $info (local.get $i))
    (global.set $ctx (local.get $c))
    (global.set $sp (local.get $p))
    (global.set $siginfo (local.get $si))
    (i32.const 0))

  ;; No page comes later, and none is shown to two.
  (func (export "mm_features") (result i32) (i32.const 0))

  ;; The pending word at LKL_PENDING_ADDR. The event loop raises lines between
  ;; turns, the kernel its own: nobody comes in between.
  (func (export "irq_take") (result i32) (local $word i32)
    (if (global.get $ended) (then (unreachable)))
    (local.set $word (i32.load (i32.const 0xf000)))
    (i32.store (i32.const 0xf000) (i32.const 0))
    (global.set $fresh (i32.const 0))
    (global.set $sched (i32.const 0))
    (local.get $word))
  (func (export "irq_raise") (param $line i32)
    (i32.store (i32.const 0xf000)
      (i32.or (i32.load (i32.const 0xf000)) (i32.shl (i32.const 1) (local.get $line)))))
  ;; The clock, the event loop.
  (func (export "irq_poll")
    (global.set $fresh (i32.const 0))
    (global.set $sched (i32.const 0))
    (if (call $check) (then (call $breathe)))
    (if (global.get $ended) (then (unreachable))))
  (func (export "idle")
    (if (i32.eqz (i32.load (i32.const 0xf000))) (then (call $idle)))
    (if (global.get $ended) (then (unreachable))))

  ;; 64-bit numbers cross to JavaScript as doubles: no BigInt, exact to 2^53 ns.
  (func $read
    (global.set $now (i64.trunc_sat_f64_u (call $clock_ns)))
    (global.set $sched (i32.const 17)))
  (func (export "sched_ns") (result i64)
    (if (i32.eqz (global.get $sched)) (then (call $read)))
    (global.set $sched (i32.sub (global.get $sched) (i32.const 1)))
    (global.get $now))
  (func (export "clock_ns") (result i64)
    (if (i32.eqz (global.get $fresh))
      (then
        (call $read)
        (global.set $fresh (i32.const 8))))
    (global.set $fresh (i32.sub (global.get $fresh) (i32.const 1)))
    (global.get $now))
  (func (export "realtime_ns") (result i64) (i64.trunc_sat_f64_u (call $realtime_ns)))
  ;; A page is not told when something else runs.
  (func (export "stolen_ns") (result i64) (i64.const 0))
  (func (export "timer_set") (param $delta i64)
    (call $timer_set (f64.convert_i64_u (local.get $delta))))
)
