/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_PTRACE_H
#define _ASM_LKL_PTRACE_H

#include <uapi/asm/ptrace.h>

#ifndef __ASSEMBLY__
#include <linux/types.h>
#include <asm/lkl_host.h>

/*
 * A task has no registers while the kernel runs: its user frames are on the
 * host's stack. What is kept is the system call it is in.
 */
struct pt_regs {
	long long args[6];	/* every argument in a 64-bit slot */
	int nr;			/* -1: not in a system call */
	long ret;
	unsigned long pc, sp, tls;	/* for /proc and ptrace only */
	int user;		/* what user_mode() says */
};

#define user_mode(regs)			((regs)->user)
#define instruction_pointer(regs)	((regs)->pc)
#define profile_pc(regs)		((regs)->pc)
#define user_stack_pointer(regs)	((regs)->sp)
/* The host knows it; sigaltstack() asks whether it is on that stack. */
#define current_user_stack_pointer()	host_user_sp()

static inline void instruction_pointer_set(struct pt_regs *regs, unsigned long v)
{
	regs->pc = v;
}

static inline unsigned long regs_return_value(struct pt_regs *regs)
{
	return regs->ret;
}
#endif

#endif
