;; The way between programs and the kernel. Only wasm frames lie between them,
;; so that the kernel may suspend the whole stack.
;;
;;   task_main ── kernel.lkl_task_entry
;;      └─ row.start ─ program ─ syscall ─ kernel.lkl_syscall ─ (switch suspends)
;;                                  └─ row.signal ─ program's handler ─ ...
(module
  (type $sys (func (param i32 i64 i64 i64 i64 i64 i64) (result i32)))
  (type $run (func))
  (type $signal (func (param i32 i32 i32 i32 i32 i32)))

  (import "kernel" "__stack_pointer" (global $kernel_sp (mut i32)))
  (import "kernel" "lkl_start" (func $lkl_start (param i32 i32 i32)))
  (import "kernel" "lkl_task_entry" (func $lkl_task_entry (param i32)))
  (import "kernel" "lkl_syscall" (func $lkl_syscall (type $sys)))
  (import "kernel" "lkl_user_poll" (func $lkl_user_poll))
  (import "kernel" "lkl_user_fault" (func $lkl_user_fault (param i32 i32 i32)))

  (import "access" "rows" (table $rows 16 funcref))
  (import "access" "current" (global $current (mut i32)))
  (import "access" "upcall" (global $upcall (mut i32)))
  (import "access" "handler" (global $handler (mut i32)))
  (import "access" "sig" (global $sig (mut i32)))
  (import "access" "info" (global $info (mut i32)))
  (import "access" "ctx" (global $ctx (mut i32)))
  (import "access" "sp" (global $sp (mut i32)))
  (import "access" "siginfo" (global $siginfo (mut i32)))

  ;; Looks at the clock. True: the event loop wants its turn.
  (import "js" "check" (func $check (result i32)))
  ;; Suspends for one turn of the event loop.
  (import "js" "breathe" (func $breathe))
  ;; Prepares the current task for user mode; the slot of its row to begin at.
  (import "js" "enter_user" (func $enter_user (result i32)))

  ;; The program is gone: an exec has succeeded.
  (tag $restart)

  ;; Top of the running task's kernel stack. The host sets it at each switch.
  (global $kstack (export "kstack") (mut i32) (i32.const 0))
  ;; Whose code runs: what a trap means.
  (global $in_kernel (export "in_kernel") (mut i32) (i32.const 1))
  ;; System calls until the next look at the clock.
  (global $fuel (mut i32) (i32.const 0))

  (func $enter
    (global.set $in_kernel (i32.const 1))
    (global.set $kernel_sp (global.get $kstack)))

  ;; The clock, the event loop, interrupts: user mode, before a kernel entry.
  (func $look
    (global.set $fuel (i32.const 64))
    (if (call $check) (then (call $breathe))))

  (func $syscall (export "syscall")
    (param $nr i32) (param $a i64) (param $b i64) (param $c i64) (param $d i64) (param $e i64)
    (param $f i64) (result i32)
    (local $ret i32)
    (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
    (if (i32.lt_s (global.get $fuel) (i32.const 0)) (then (call $look)))
    (call $enter)
    (local.set $ret (call $lkl_syscall (local.get $nr) (local.get $a) (local.get $b)
      (local.get $c) (local.get $d) (local.get $e) (local.get $f)))
    (if (global.get $upcall) (then (return (call $upcalls (local.get $ret)))))
    (global.set $in_kernel (i32.const 0))
    (local.get $ret))

  ;; A safepoint's budget is spent.
  (func (export "poll")
    (call $look)
    (call $enter)
    (call $lkl_user_poll)
    (if (global.get $upcall) (then (drop (call $upcalls (i32.const 0)))))
    (global.set $in_kernel (i32.const 0)))

  ;; Signal handlers, one after another: rt_sigreturn gives the next.
  (func $upcalls (param $ret i32) (result i32) (local $frame i32)
    (loop $next
      (if (i32.eq (global.get $upcall) (i32.const 1)) (then (throw $restart)))
      (global.set $upcall (i32.const 0))
      (global.set $in_kernel (i32.const 0))
      (local.set $frame (global.get $ctx))
      (call_indirect $rows (type $signal)
        (global.get $handler) (global.get $sig) (global.get $info) (global.get $ctx)
        (global.get $siginfo) (global.get $sp)
        (i32.add (global.get $current) (i32.const 10)))
      (call $enter)
      (local.set $ret (call $lkl_syscall (i32.const 139) (i64.extend_i32_u (local.get $frame))
        (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))
      (br_if $next (global.get $upcall)))
    (global.set $in_kernel (i32.const 0))
    (local.get $ret))

  ;; User mode until the task ends: each round is a program.
  (func $user
    (loop $again
      (block $restarted
        (try_table (catch $restart $restarted)
          (call_indirect $rows (type $run) (call $enter_user))
          ;; main has returned: exit_group.
          (drop (call $syscall (i32.const 94) (i64.const 0) (i64.const 0) (i64.const 0)
            (i64.const 0) (i64.const 0) (i64.const 0)))))
      (br $again)))

  ;; First code of a task.
  (func (export "task_main") (param $task i32)
    (call $enter)
    (call $lkl_task_entry (local.get $task))
    (call $user))

  ;; A task whose user frames a trap has unwound: signal, si_code, si_addr.
  (func (export "task_fault") (param $signo i32) (param $code i32) (param $addr i32)
    (call $enter)
    (call $lkl_user_fault (local.get $signo) (local.get $code) (local.get $addr))
    (block $restarted
      (try_table (catch $restart $restarted)
        (if (global.get $upcall) (then (drop (call $upcalls (i32.const 0)))))
        ;; The handler has come back to an instruction that is no more: SIGKILL.
        (call $enter)
        (call $lkl_user_fault (i32.const 9) (i32.const 0) (i32.const 0))
        (unreachable)))
    ;; The handler has executed a program.
    (call $user))

  (func (export "boot") (param $memory i32) (param $initrd i32) (param $size i32)
    (call $enter)
    (call $lkl_start (local.get $memory) (local.get $initrd) (local.get $size)))
)
