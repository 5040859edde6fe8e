// SPDX-License-Identifier: GPL-2.0
/*
 * The context switch. Each task has a stack on the host; the kernel's own
 * shadow stack pointer is a wasm global that the host does not know of.
 */
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <asm/lkl_host.h>
#include <asm/switch_to.h>
#include "lkl.h"

/* The assembler takes an undeclared symbol for data. */
asm(".globaltype __stack_pointer, i32");

/* Who ran before the task that runs now: __switch_to()'s third value. */
static struct task_struct *lkl_prev;

struct task_struct *__switch_to(struct task_struct *prev, struct task_struct *next)
{
	unsigned long sp;

	lkl_current = next;
	lkl_prev = prev;
	asm volatile("global.get __stack_pointer\n\tlocal.set %0" : "=r"(sp));
	prev->thread.sp = sp;
	if (host_switch(prev->thread.host, next->thread.host))
		__builtin_trap();	/* a dead task: this unwinds its stack */
	asm volatile("local.get %0\n\tglobal.set __stack_pointer" : : "r"(sp));
	/* Anybody may have run in between: not what was stored above. */
	return lkl_prev;
}

/* First code of a new task, on its own stack. */
void lkl_task_entry(void *task)
{
	struct task_struct *p = task;

	schedule_tail(lkl_prev);
	if (p->thread.fn) {
		/* Comes back when it has executed a program. */
		p->thread.fn(p->thread.fn_arg);
		p->thread.fn = NULL;
	}
	lkl_exit_to_user(&p->thread.regs);
}
