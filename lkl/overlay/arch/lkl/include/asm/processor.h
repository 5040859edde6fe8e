/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_PROCESSOR_H
#define _ASM_LKL_PROCESSOR_H

#include <linux/const.h>
#include <asm/lkl_host.h>
#include <asm/ptrace.h>

struct task_struct;

struct thread_struct {
	int host;		/* host task handle, 0 until copy_thread() */
	unsigned long sp;	/* shadow stack pointer of a task that does not run */
	int (*fn)(void *);	/* first code of a task without a user side */
	void *fn_arg;
	struct pt_regs regs;	/* the system call being served */
};

#define INIT_THREAD	{ .regs.nr = -1, .regs.user = 1 }

extern void lkl_cpu_relax(void);
#define cpu_relax()		lkl_cpu_relax()

/* As the host says at boot. */
extern unsigned long lkl_user_end;
#define TASK_SIZE		lkl_user_end
#define TASK_UNMAPPED_BASE	PAGE_ALIGN(TASK_SIZE / 3)
#define STACK_TOP		TASK_SIZE
#define STACK_TOP_MAX		TASK_SIZE

#define task_pt_regs(tsk)	(&(tsk)->thread.regs)
#define KSTK_EIP(tsk)		(task_pt_regs(tsk)->pc)
#define KSTK_ESP(tsk)		(task_pt_regs(tsk)->sp)

static inline unsigned long __get_wchan(struct task_struct *p)
{
	return 0;
}

#endif
