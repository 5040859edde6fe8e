/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of arch/lkl/kernel share with each other and nobody else. */
#ifndef _LKL_KERNEL_H
#define _LKL_KERNEL_H

#include <linux/types.h>

struct linux_binprm;
struct pt_regs;
struct task_struct;

/* setup.c -> drivers/console.c */
extern void lkl_console_init(void);

/* job.c, for init */
extern void lkl_job_init(void);

/* image.c: the idle task has nothing to do. */
extern void lkl_image_idle(void);

/* entry.c */
extern long lkl_run_syscall(struct pt_regs *regs);
extern void lkl_exit_to_user(struct pt_regs *regs);

/* signal.c: true when a handler is to run before anything else. */
extern bool lkl_do_signal(struct pt_regs *regs);

/* trace.c: the host sees what a task with TIF_HOST_TRACE does. */
extern void lkl_trace_enter(const struct pt_regs *call);
extern void lkl_trace_leave(const struct pt_regs *call, long ret);
extern void lkl_trace_exec(const char *file, int err);

/* crash.c: names of the functions a task is in, to the kernel log. */
extern void lkl_log_backtrace(const char *level, struct task_struct *task, bool program);

/* exec_stack.c: arguments, environment and auxv; *sp is what _start gets. */
extern int lkl_exec_stack(struct linux_binprm *bprm, unsigned long *sp);

#endif
