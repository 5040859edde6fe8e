// SPDX-License-Identifier: GPL-2.0
/*
 * What `wasmlinux run --trace` sees: the host gets system calls with their
 * arguments, signals and ends of every task that has TIF_HOST_TRACE, which its
 * children inherit. The host reads the task's memory by itself, so each of
 * these runs in the context of the task it tells of.
 */
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/signal_types.h>
#include <asm/lkl_host.h>
#include <asm/syscall.h>
#include "lkl.h"

static void lkl_trace(u32 event, int nr, int ret, const void *data)
{
	host_trace(event, task_pid_nr(current), nr, ret, data);
}

void lkl_trace_enter(const struct pt_regs *call)
{
	lkl_trace(LKL_TRACE_ENTER, call->nr, 0, call->args);
}

void lkl_trace_leave(const struct pt_regs *call, long ret)
{
	lkl_trace(LKL_TRACE_LEAVE, call->nr, ret, call->args);
}

/* A job's first program is executed by the kernel, without a system call. */
void lkl_trace_exec(const char *file, int err)
{
	if (test_thread_flag(TIF_HOST_TRACE))
		lkl_trace(LKL_TRACE_EXEC, 0, err, file);
}

void lkl_signal_taken(const struct kernel_siginfo *info)
{
	if (test_thread_flag(TIF_HOST_TRACE))
		lkl_trace(LKL_TRACE_SIGNAL, info->si_signo, sizeof(*info), info);
}

/* Also called for a child whose birth failed: nobody has seen that one. */
void exit_thread(struct task_struct *tsk)
{
	if (tsk == current && test_thread_flag(TIF_HOST_TRACE))
		lkl_trace(LKL_TRACE_EXIT, 0, tsk->exit_code, NULL);
}
