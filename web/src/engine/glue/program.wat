;; The ways into one program instance. The engine's stack and thread pointer of
;; the running thread are the program's own globals.
(module
  (import "program" "__stack_pointer" (global $sp (mut i32)))
  (import "program" "__tls_base" (global $tls (mut i32)))
  (import "program" "__linux_state" (global $state (mut i32)))
  ;; Below this its stack has run over; 0: no limit.
  (import "program" "__linux_stack_limit" (global $limit (mut i32)))
  (import "program" "_start" (func $start (param i32)))
  (import "program" "__wasm_thread_start" (func $thread (param i32)))
  (import "program" "__wasm_signal" (func $signal (param i32 i32 i32 i32 i32)))

  ;; The end of the stack that exec gives.
  (import "engine" "stack_end" (global $end i32))

  ;; Other stacks lie where their owner wants, also in the program's data: those
  ;; of handlers, and of threads that bring one.
  (func $to (param $at i32)
    (global.set $sp (local.get $at))
    (global.set $limit
      (select (global.get $end) (i32.const 0) (i32.ge_u (local.get $at) (global.get $end)))))

  (func (export "sp") (result i32) (global.get $sp))
  (func (export "tls") (result i32) (global.get $tls))
  (func (export "set") (param $new_sp i32) (param $new_tls i32)
    (call $to (local.get $new_sp))
    (global.set $tls (local.get $new_tls)))
  (func (export "start") (call $start (global.get $sp)))
  (func (export "thread") (call $thread (global.get $sp)))
  ;; Runs a handler on stack `$at`, and puts the stack pointer back. 1: it has
  ;; not returned, but saved its frames.
  (func (export "signal")
    (param $handler i32) (param $sig i32) (param $info i32) (param $ctx i32) (param $siginfo i32)
    (param $at i32) (result i32)
    (local $saved i32)
    (local.set $saved (global.get $sp))
    (call $to (local.get $at))
    (call $signal (local.get $handler) (local.get $sig) (local.get $info) (local.get $ctx)
      (local.get $siginfo))
    (if (global.get $state) (then (return (i32.const 1))))
    (call $to (local.get $saved))
    (i32.const 0))
  ;; Goes on with a handler that has saved its frames; `$saved` is the stack
  ;; pointer that it interrupted.
  (func (export "resignal")
    (param $handler i32) (param $sig i32) (param $info i32) (param $ctx i32) (param $siginfo i32)
    (param $saved i32) (result i32)
    (call $to (global.get $sp))
    (call $signal (local.get $handler) (local.get $sig) (local.get $info) (local.get $ctx)
      (local.get $siginfo))
    (if (global.get $state) (then (return (i32.const 1))))
    (call $to (local.get $saved))
    (i32.const 0))
)
