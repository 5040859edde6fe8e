// SPDX-License-Identifier: GPL-2.0
/*
 * The ways from user code into the kernel. Each is a plain call on the user
 * task's stack; the host has pointed the shadow stack at the task's kernel
 * stack. What has to happen on the user side afterwards (a handler, a new
 * program) is told to the host, which does it when the entry has returned.
 */
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/signal.h>
#include <linux/syscalls.h>
#include <asm/irq_regs.h>
#include <asm/irqflags.h>
#include <asm/lkl_host.h>
#include <asm/syscall.h>
#include <asm/unistd.h>
#include "../mm/lkl_mm.h"
#include "lkl.h"

static __always_inline long lkl_dispatch(struct pt_regs *regs)
{
	unsigned int nr = regs->nr;

	if (likely(nr < __NR_syscalls))
		return sys_call_table[nr](regs);
	return -ENOSYS;
}

/* A call that a tracer or a filter wants to see. */
static long lkl_dispatch_checked(struct pt_regs *regs, unsigned long work)
{
	/* The result of a skipped call, unless the watcher sets one. */
	regs->ret = -ENOSYS;
	if (work & _TIF_SYSCALL_TRACE && ptrace_report_syscall_entry(regs))
		return regs->ret;
	if (secure_computing() == -1)
		return regs->ret;
	regs->ret = lkl_dispatch(regs);
	if (test_thread_flag(TIF_SYSCALL_TRACE))
		ptrace_report_syscall_exit(regs, 0);
	return regs->ret;
}

static noinline long lkl_dispatch_watched(struct pt_regs *regs, unsigned long work)
{
	struct pt_regs call;
	long ret;

	if (likely(!(work & _TIF_HOST_TRACE)))
		return lkl_dispatch_checked(regs, work);
	/* exec and rt_sigreturn leave other registers than they found. */
	call = *regs;
	lkl_trace_enter(&call);
	ret = lkl_dispatch_checked(regs, work);
	lkl_trace_leave(&call, ret);
	return ret;
}

/* The call in @regs, for the first time or again. */
long lkl_run_syscall(struct pt_regs *regs)
{
	unsigned long work = READ_ONCE(current_thread_info()->flags);

	if (unlikely(work & _TIF_ENTRY_WORK))
		return lkl_dispatch_watched(regs, work);
	return lkl_dispatch(regs);
}

/*
 * Everything that must happen before user code runs again. At most one signal
 * handler is set up: its rt_sigreturn comes through here and gets the next.
 */
void lkl_exit_to_user(struct pt_regs *regs)
{
	for (;;) {
		unsigned long work;

		if (lkl_irq_pending())
			lkl_run_irqs();
		work = READ_ONCE(current_thread_info()->flags);
		if (!(work & _TIF_EXIT_WORK))
			return;
		if (work & _TIF_NEED_RESCHED)
			schedule();
		if (work & _TIF_NOTIFY_RESUME)
			resume_user_mode_work(regs);
		if (work & (_TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL | _TIF_SYSCALL_RESTART) &&
		    lkl_do_signal(regs))
			return;
	}
}

int lkl_syscall(unsigned int nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct thread_info *ti = current_thread_info();
	struct pt_regs *regs = current_pt_regs();
	long ret;

	regs->args[0] = a0;
	regs->args[1] = a1;
	regs->args[2] = a2;
	regs->args[3] = a3;
	regs->args[4] = a4;
	regs->args[5] = a5;
	regs->nr = nr;
	ret = lkl_run_syscall(regs);
	if (likely(!((READ_ONCE(ti->flags) & _TIF_EXIT_WORK) | lkl_irq_pending())))
		return ret;
	regs->ret = ret;
	lkl_exit_to_user(regs);
	return regs->ret;
}

/* Time that passed in user code is charged to it: user_mode() is true. */
void lkl_user_poll(void)
{
	struct pt_regs *regs = current_pt_regs();
	struct pt_regs *old = set_irq_regs(regs);

	regs->nr = -1;
	if (lkl_irq_pending())
		lkl_run_irqs();
	set_irq_regs(old);
	lkl_exit_to_user(regs);
}

/* Makes an access possible, or says which signal it deserves. */
static int lkl_mend_access(unsigned int *sig, int *code, unsigned long addr, bool write)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	vm_fault_t fault;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	fault = vma ? lkl_fault(vma, addr, write) : VM_FAULT_SIGSEGV;
	mmap_read_unlock(mm);
	if (!fault)
		return 0;
	*sig = SIGSEGV;
	*code = vma ? SEGV_ACCERR : SEGV_MAPERR;
	if (fault & VM_FAULT_SIGBUS) {
		*sig = SIGBUS;
		*code = BUS_ADRERR;
	}
	return fault & VM_FAULT_OOM ? -ENOMEM : -EFAULT;
}

void lkl_user_fault(unsigned int sig, int code, unsigned long addr, unsigned int access)
{
	struct pt_regs *regs = current_pt_regs();
	int err = -EFAULT;

	regs->nr = -1;
	if (access != LKL_FAULT_TRAP)
		err = lkl_mend_access(&sig, &code, addr, access == LKL_FAULT_WRITE);
	if (err == -ENOMEM) {
		/* Nobody could be killed for it, or this very process was. */
		if (!fatal_signal_pending(current)) {
			pr_err_ratelimited("%s[%d]: no memory for its page at %lx\n",
					   current->comm, task_pid_nr(current), addr);
			force_fatal_sig(SIGKILL);
		}
	} else if (sig == SIGKILL) {
		/* No handler is asked. */
		force_fatal_sig(SIGSEGV);
	} else if (err) {
		force_sig_fault(sig, code, (void __user *)addr);
	}
	lkl_exit_to_user(regs);
}
