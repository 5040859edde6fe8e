// SPDX-License-Identifier: GPL-2.0
/*
 * Signal delivery and restart of system calls.
 *
 * The frame lies on the user stack: siginfo, then ucontext. A system call that
 * a handler interrupted is kept in it, because the handler makes calls of its
 * own; rt_sigreturn makes it again or returns what it returned. Other arches
 * stack a frame for every pending signal at once; here the host enters one
 * handler a time, and the next is delivered on the way out of rt_sigreturn.
 */
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <asm/lkl_host.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#include <asm/unistd.h>
#include "lkl.h"

/* The ABI lets a leaf function use this much below its stack pointer. */
#define LKL_RED_ZONE	128
#define LKL_STACK_ALIGN	16

struct lkl_sigframe {
	struct siginfo info;
	struct ucontext uc;
};

/* What becomes of an interrupted call once the handler is known. */
static bool lkl_restart_after(struct pt_regs *regs, struct ksignal *ksig)
{
	switch (regs->ret) {
	case -ERESTARTNOINTR:
		return true;
	case -ERESTARTSYS:
		if (ksig->ka.sa.sa_flags & SA_RESTART)
			return true;
		fallthrough;
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		regs->ret = -EINTR;
	}
	return false;
}

static int lkl_setup_frame(struct pt_regs *regs, struct ksignal *ksig, bool restart)
{
	unsigned long user_sp = host_user_sp();
	unsigned long sp = sigsp(user_sp - LKL_RED_ZONE, ksig);
	struct lkl_sigframe __user *frame;
	struct ucontext uc = { };

	sp = (sp - sizeof(*frame)) & ~(LKL_STACK_ALIGN - 1UL);
	frame = (struct lkl_sigframe __user *)sp;
	/* An alternate stack that overflows must not eat what is below it. */
	if (on_sig_stack(user_sp) && !on_sig_stack(sp))
		return -EFAULT;

	memcpy(uc.uc_mcontext.args, regs->args, sizeof(uc.uc_mcontext.args));
	uc.uc_mcontext.nr = regs->nr;
	uc.uc_mcontext.ret = regs->ret;
	uc.uc_mcontext.sp = user_sp;
	uc.uc_mcontext.tls = host_user_tls();
	uc.uc_mcontext.flags = restart ? SIGCONTEXT_RESTART : 0;
	uc.uc_sigmask = *sigmask_to_save();

	if (copy_siginfo_to_user(&frame->info, &ksig->info) ||
	    copy_to_user(&frame->uc, &uc, sizeof(uc)) ||
	    __save_altstack(&frame->uc.uc_stack, user_sp))
		return -EFAULT;

	host_user_signal((unsigned long)ksig->ka.sa.sa_handler, ksig->sig,
			 (unsigned long)&frame->info, (unsigned long)&frame->uc,
			 sp, !!(ksig->ka.sa.sa_flags & SA_SIGINFO));
	return 0;
}

bool lkl_do_signal(struct pt_regs *regs)
{
	struct ksignal ksig;
	bool handler = get_signal(&ksig);

	clear_thread_flag(TIF_SYSCALL_RESTART);
	if (handler) {
		bool restart = regs->nr >= 0 && lkl_restart_after(regs, &ksig);
		int err = lkl_setup_frame(regs, &ksig, restart);

		signal_setup_done(err, &ksig, 0);
		return !err;
	}

	restore_saved_sigmask();
	if (regs->nr < 0)
		return false;
	switch (regs->ret) {
	case -ERESTART_RESTARTBLOCK:
		regs->nr = __NR_restart_syscall;
		fallthrough;
	case -ERESTARTNOINTR:
	case -ERESTARTSYS:
	case -ERESTARTNOHAND:
		regs->ret = lkl_run_syscall(regs);
	}
	return false;
}

/*
 * The host makes this call when a handler has returned. Nothing in the frame
 * is trusted: a number and arguments are what a program may pass anyway, and
 * the call goes through filter and tracer again.
 */
SYSCALL_DEFINE1(rt_sigreturn, struct ucontext __user *, ctx)
{
	struct pt_regs *regs = current_pt_regs();
	struct ucontext uc;

	current->restart_block.fn = do_no_restart_syscall;
	if (copy_from_user(&uc, ctx, sizeof(uc)) || restore_altstack(&ctx->uc_stack)) {
		force_sig(SIGSEGV);
		return 0;
	}
	set_current_blocked(&uc.uc_sigmask);

	memcpy(regs->args, uc.uc_mcontext.args, sizeof(regs->args));
	regs->nr = uc.uc_mcontext.nr;
	if (!(uc.uc_mcontext.flags & SIGCONTEXT_RESTART) || regs->nr < 0)
		return uc.uc_mcontext.ret;
	/* On the way out, after further signals, which may interrupt it again. */
	set_thread_flag(TIF_SYSCALL_RESTART);
	return -ERESTARTNOINTR;
}
