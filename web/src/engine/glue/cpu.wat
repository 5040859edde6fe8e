;; The way between programs and the kernel. Only wasm frames lie between them,
;; so that the kernel may suspend the whole stack.
;;
;;   task_main ── kernel.lkl_task_entry
;;      └─ row.start ─ program ─ syscall ─ kernel.lkl_syscall ─ (switch suspends)
;;                                  └─ row.signal ─ program's handler ─ ...
(module
  (type $sys (func (param i32 i64 i64 i64 i64 i64 i64) (result i32)))
  (type $run (func))
  (type $signal (func (param i32 i32 i32 i32 i32 i32) (result i32)))
  (type $get (func (result i32)))

  (import "kernel" "__stack_pointer" (global $kernel_sp (mut i32)))
  (import "kernel" "lkl_start" (func $lkl_start (param i32 i32 i32)))
  (import "kernel" "lkl_resume" (func $lkl_resume (param i32 i32)))
  (import "kernel" "lkl_task_entry" (func $lkl_task_entry (param i32)))
  (import "kernel" "lkl_syscall" (func $lkl_syscall (type $sys)))
  (import "kernel" "lkl_user_poll" (func $lkl_user_poll))
  (import "kernel" "lkl_user_fault" (func $lkl_user_fault (param i32 i32 i32 i32)))

  (import "access" "rows" (table $rows 16 funcref))
  (import "access" "current" (global $current (mut i32)))
  (import "access" "upcall" (global $upcall (mut i32)))
  (import "access" "handler" (global $handler (mut i32)))
  (import "access" "sig" (global $sig (mut i32)))
  (import "access" "info" (global $info (mut i32)))
  (import "access" "ctx" (global $ctx (mut i32)))
  (import "access" "sp" (global $sp (mut i32)))
  (import "access" "siginfo" (global $siginfo (mut i32)))
  (import "access" "ended" (global $ended (mut i32)))
  (import "access" "kstack" (global $kstack (mut i32)))
  (import "access" "fresh" (global $fresh (mut i32)))
  (import "access" "irq_poll" (func $irq_poll))

  ;; Traps where the kernel would run out of stack.
  (import "js" "headroom" (func $headroom (param i32)))
  ;; Prepares the current task for user mode; the slot of its row to begin at.
  (import "js" "enter_user" (func $enter_user (result i32)))

  ;; The program calls fork or vfork (`$flags` of clone). Turns its state; the
  ;; result, once its frames have been restored.
  (import "js" "split" (func $split (param $flags i32) (result i32)))
  ;; Why the program has returned: the flags of a clone, or 0 when it has ended.
  (import "js" "saved" (func $saved (result i32)))
  ;; Whether the program is saving its frames.
  (import "js" "is_saving" (func $is_saving (result i32)))
  ;; What the current task's program has trapped with: signal and si_code.
  (import "js" "fault_sig" (func $fault_sig (result i32)))
  (import "js" "fault_code" (func $fault_code (result i32)))
  ;; The result of that clone.
  (import "js" "cloned" (func $cloned (param i32)))
  ;; A handler has saved its frames: its arguments and what it interrupted.
  (import "js" "save_handler" (func $save_handler (param i32 i32 i32 i32 i32 i32)))
  ;; Puts the arguments of the next handler to restore where a new one's are; 0:
  ;; there is none.
  (import "js" "load_handler" (func $load_handler (result i32)))

  ;; Whose code runs: what a trap means.
  (global $in_kernel (export "in_kernel") (mut i32) (i32.const 1))
  ;; The program's frames are being restored.
  (global $restoring (export "restoring") (mut i32) (i32.const 0))
  ;; The trap that comes now is none: a program is gone, an exec has succeeded. A
  ;; trap, because no program can catch it.
  (global $restarting (export "restarting") (mut i32) (i32.const 0))
  ;; System calls until the next look at the clock.
  (global $fuel (mut i32) (i32.const 0))
  ;; Safepoints until the next look at the clock: some 100 us.
  (global $budget i32 (i32.const 10000))

  (func $enter
    (global.set $in_kernel (i32.const 1))
    (global.set $fresh (i32.const 0))
    (global.set $kernel_sp (global.get $kstack)))

  ;; The clock, the event loop, interrupts: user mode, before a kernel entry.
  (func $look
    (global.set $fuel (i32.const 64))
    (call $irq_poll))

  (func $syscall (export "syscall")
    (param $nr i32) (param $a i64) (param $b i64) (param $c i64) (param $d i64) (param $e i64)
    (param $f i64) (result i32)
    (local $ret i32)
    (if (global.get $restoring)
      (then (if (call $handler_waits) (then (return (call $handlers (i32.const 0) (i32.const 11)))))))
    (call $headroom (i32.const 0))
    (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
    (if (i32.lt_s (global.get $fuel) (i32.const 0)) (then (call $look)))
    (call $enter)
    (local.set $ret (call $lkl_syscall (local.get $nr) (local.get $a) (local.get $b)
      (local.get $c) (local.get $d) (local.get $e) (local.get $f)))
    (if (global.get $upcall) (then (return (call $handlers (local.get $ret) (i32.const 10)))))
    (global.set $in_kernel (i32.const 0))
    (local.get $ret))

  ;; A safepoint's budget is spent: the next one.
  (func (export "poll") (result i32)
    (if (global.get $restoring)
      (then
        (if (call $handler_waits)
          (then
            (drop (call $handlers (i32.const 0) (i32.const 11)))
            (return (global.get $budget))))))
    (call $headroom (i32.const 0))
    (call $look)
    (call $enter)
    (call $lkl_user_poll)
    (if (global.get $upcall) (then (drop (call $handlers (i32.const 0) (i32.const 10)))))
    (global.set $in_kernel (i32.const 0))
    (global.get $budget))

  (func (export "fork") (result i32) (call $fork (i32.const 17)))
  (func (export "vfork") (result i32) (call $fork (i32.const 0x4111)))
  (func $fork (param $flags i32) (result i32) (local $ret i32)
    (local.set $ret (call $split (local.get $flags)))
    (if (global.get $restoring)
      (then
        (global.set $restoring (i32.const 0))
        (if (global.get $upcall)
          (then (return (call $handlers (local.get $ret) (i32.const 10)))))))
    (local.get $ret))

  ;; The frames above are a handler's. If there is none, the program was not
  ;; restoring anything, whatever it says.
  (func $handler_waits (result i32) (local $loaded i32)
    (local.set $loaded (call $load_handler))
    (if (i32.eqz (local.get $loaded)) (then (global.set $restoring (i32.const 0))))
    (local.get $loaded))

  ;; Runs the handler that the kernel has asked for (`$way` 10), or goes on with
  ;; one (11); then one after another, as rt_sigreturn gives the next. The result
  ;; is that of the interrupted call.
  (func $handlers (param $ret i32) (param $way i32) (result i32)
    (local $h i32) (local $s i32) (local $i i32) (local $c i32) (local $si i32) (local $below i32)
    (loop $next
      (if (i32.eq (global.get $upcall) (i32.const 1)) 
        (then
          (global.set $restarting (i32.const 1))
          (unreachable)))
      (global.set $upcall (i32.const 0))
      (global.set $in_kernel (i32.const 0))
      (local.set $h (global.get $handler))
      (local.set $s (global.get $sig))
      (local.set $i (global.get $info))
      (local.set $c (global.get $ctx))
      (local.set $si (global.get $siginfo))
      (local.set $below
        (if (result i32) (i32.eq (local.get $way) (i32.const 11))
          (then (global.get $sp))
          (else (call_indirect $rows (type $get) (i32.add (global.get $current) (i32.const 5))))))
      (if (call_indirect $rows (type $signal)
            (local.get $h) (local.get $s) (local.get $i) (local.get $c) (local.get $si)
            (global.get $sp)
            (i32.add (global.get $current) (local.get $way)))
        (then
          (call $save_handler (local.get $h) (local.get $s) (local.get $i) (local.get $c)
            (local.get $si) (local.get $below))
          (return (i32.const 0))))
      (local.set $way (i32.const 10))
      (call $enter)
      (local.set $ret (call $lkl_syscall (i32.const 139) (i64.extend_i32_u (local.get $c))
        (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))
      (br_if $next (global.get $upcall)))
    (global.set $in_kernel (i32.const 0))
    (local.get $ret))

  ;; User mode until the task ends or executes a program: each round is an entry,
  ;; or what comes back to its fork.
  (func $user (local $slot i32)
    (loop $again
      (local.set $slot (call $enter_user))
      (if (call $is_handler (local.get $slot))
        (then
          (drop (call $handler_waits))
          (drop (call $handlers (i32.const 0) (i32.const 11))))
        (else (call_indirect $rows (type $run) (local.get $slot))))
      (call $left (local.get $slot))
      (br $again)))

  ;; A trap has unwound what was below this handler.
  (func $is_handler (param $slot i32) (result i32)
    (i32.eq (i32.and (local.get $slot) (i32.const 15)) (i32.const 11)))

  ;; No frames of the program are left: it has saved them for a fork, or has come
  ;; to its end.
  (func $left (param $slot i32) (local $flags i32)
    (local.set $flags (call $saved))
    (if (local.get $flags)
      (then
        (call $enter)
        (call $cloned (call $lkl_syscall (i32.const 220)
          (i64.extend_i32_u (local.get $flags))
          (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))))
      (else
        (if (call $is_handler (local.get $slot))
          (then (call $fault (call $fault_sig) (call $fault_code)))
          (else
            ;; main has returned: exit_group; a thread: exit.
            (drop (call $syscall
              (select (i32.const 93) (i32.const 94)
                (i32.eq (i32.and (local.get $slot) (i32.const 15)) (i32.const 9)))
              (i64.const 0) (i64.const 0) (i64.const 0)
              (i64.const 0) (i64.const 0) (i64.const 0))))))))

  ;; The program's fault, again each time that a handler comes back to it: the
  ;; instruction would trap again.
  (func $fault (param $signo i32) (param $code i32)
    (loop $again
      (call $look)
      (call $enter)
      (call $lkl_user_fault (local.get $signo) (local.get $code) (i32.const 0) (i32.const 0))
      (if (global.get $upcall)
        (then
          (drop (call $handlers (i32.const 0) (i32.const 10)))
          (br_if $again (i32.eqz (call $is_saving)))))))

  ;; First code of a task.
  (func (export "task_main") (param $task i32) (param $stack i32)
    (global.set $kstack (local.get $stack))
    (call $enter)
    (call $lkl_task_entry (local.get $task))
    (call $user))

  ;; A task that has executed a program.
  (func (export "task_restart")
    (call $user))

  ;; A task whose user frames a trap has unwound: signal and si_code. Its slot is
  ;; a handler's from now on.
  (func (export "task_fault") (param $signo i32) (param $code i32)
    (call $fault (local.get $signo) (local.get $code))
    (call $left (i32.const 11))
    (call $user))

  (func (export "boot") (param $memory i32) (param $initrd i32) (param $size i32)
    (param $stack i32)
    (global.set $kstack (local.get $stack))
    (call $enter)
    (call $lkl_start (local.get $memory) (local.get $initrd) (local.get $size)))

  (func (export "resume") (param $initrd i32) (param $size i32) (param $stack i32)
    (global.set $kstack (local.get $stack))
    (call $enter)
    (call $lkl_resume (local.get $initrd) (local.get $size)))
)
