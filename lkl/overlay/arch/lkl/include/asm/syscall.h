/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_SYSCALL_H
#define _ASM_LKL_SYSCALL_H

#include <linux/err.h>
#include <linux/sched.h>
#include <uapi/linux/audit.h>
#include <asm/ptrace.h>

typedef long (*sys_call_ptr_t)(const struct pt_regs *);
extern const sys_call_ptr_t sys_call_table[];

static inline int syscall_get_nr(struct task_struct *t, struct pt_regs *regs)
{
	return regs->nr;
}

/* A skipped call's number and arguments are still in place. */
static inline void syscall_rollback(struct task_struct *t, struct pt_regs *regs)
{
}

static inline long syscall_get_error(struct task_struct *t, struct pt_regs *regs)
{
	return IS_ERR_VALUE(regs->ret) ? regs->ret : 0;
}

static inline long syscall_get_return_value(struct task_struct *t, struct pt_regs *regs)
{
	return regs->ret;
}

static inline void syscall_set_return_value(struct task_struct *t, struct pt_regs *regs,
					    int error, long val)
{
	regs->ret = error ?: val;
}

static inline void syscall_get_arguments(struct task_struct *t, struct pt_regs *regs,
					 unsigned long *args)
{
	int i;

	for (i = 0; i < 6; i++)
		args[i] = regs->args[i];
}

/* ELF has no machine number for wasm32 that the audit headers know. */
static inline int syscall_get_arch(struct task_struct *t)
{
	return EM_NONE | __AUDIT_ARCH_LE;
}

/* kernel/signal.c tells: a signal is taken (trace.c), it ends the process (crash.c). */
extern void lkl_signal_taken(const struct kernel_siginfo *info);
extern void lkl_signal_fatal(const struct kernel_siginfo *info);

#endif
