// SPDX-License-Identifier: GPL-2.0
/* Tasks: their host side's birth and death, and the idle task. */
#include <linux/cpu.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <asm/lkl_host.h>
#include <asm/mmu.h>
#include "lkl.h"

/*
 * Until copy_thread() the copy owns no host task: its parent does. There is no
 * new task with the kernel's last memory: the OOM killer would look for a
 * process to end, and those of a fork bomb have little, for theirs is the host's.
 */
int arch_dup_task_struct(struct task_struct *dst, struct task_struct *src)
{
	if (si_mem_available() <= 0)
		return -ENOMEM;
	*dst = *src;
	dst->thread.host = 0;
	return 0;
}

static int lkl_new_user_task(struct task_struct *p,
			     const struct kernel_clone_args *args, u32 kstack)
{
	u32 tls = args->flags & CLONE_SETTLS ? args->tls : host_user_tls();

	p->thread.fn = NULL;
	p->thread.regs.ret = 0;
	if (p->mm != current->mm) {
		int err = lkl_mm_dup(p->mm, current->mm);

		if (err)
			return err;
	}
	if (args->stack)
		return host_task_new(p, kstack, LKL_TASK_THREAD, p->mm->context.id,
				     args->stack & ~15UL, tls);
	return host_task_new(p, kstack, LKL_TASK_FORK, p->mm->context.id,
			     host_user_sp(), tls);
}

int copy_thread(struct task_struct *p, const struct kernel_clone_args *args)
{
	u32 kstack = (unsigned long)task_stack_page(p) + THREAD_SIZE;
	int host;

	if (args->fn) {
		/* Also init and usermode helpers: exec gives them a user side. */
		memset(&p->thread, 0, sizeof(p->thread));
		p->thread.regs.nr = -1;
		p->thread.regs.user = 1;
		p->thread.fn = args->fn;
		p->thread.fn_arg = args->fn_arg;
		host = host_task_new(p, kstack, LKL_TASK_KERNEL, 0, 0, 0);
	} else {
		host = lkl_new_user_task(p, args, kstack);
	}
	if (host <= 0)
		return host ?: -EAGAIN;
	p->thread.host = host;
	return 0;
}

/* The last reference is gone; a task that ran has been switched away from. */
void arch_release_task_struct(struct task_struct *p)
{
	if (p->thread.host)
		host_task_free(p->thread.host);
}

void flush_thread(void)
{
}

/* Interrupts are off; the host returns when one is pending. */
void arch_cpu_idle(void)
{
	lkl_image_idle();
	host_idle();
	raw_local_irq_enable();
	raw_local_irq_disable();
}

/* Registers are the host's. */
void show_regs(struct pt_regs *regs)
{
}

/* So are stacks. */
void show_stack(struct task_struct *task, unsigned long *sp, const char *loglvl)
{
	lkl_log_backtrace(loglvl, task ?: current, false);
}
