// SPDX-License-Identifier: GPL-2.0
/*
 * What the log says of a program that crashed, and where the kernel is when it
 * warns. The stacks are the host's, which names the functions on them.
 */
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/string.h>
#include <asm/lkl_host.h>
#include <asm/syscall.h>
#include "lkl.h"

#define LKL_BACKTRACE_SIZE	4096

int show_unhandled_signals = 1;	/* sysctl debug.exception-trace */

/*
 * Any context may print its stack, also an interrupt that comes while another
 * one does: the second is left out. One CPU needs no more than the flag.
 */
void lkl_log_backtrace(const char *level, struct task_struct *task, bool program)
{
	static char text[LKL_BACKTRACE_SIZE];
	static bool busy;
	char *line, *rest = text;

	if (xchg(&busy, true))
		return;
	text[host_backtrace(task->thread.host, program, text, sizeof(text) - 1)] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (*line)
			printk("%s  %s\n", level, line);
	WRITE_ONCE(busy, false);
}

/* A fault, a trap, abort(): not a kill(2) of the same signal. */
static bool lkl_is_crash(const struct kernel_siginfo *info)
{
	switch (info->si_signo) {
	case SIGABRT:
		return true;
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
		return SI_FROMKERNEL(info);
	}
	return false;
}

static const char *lkl_crash_name(int sig)
{
	switch (sig) {
	case SIGSEGV: return "segfault";
	case SIGBUS: return "bus error";
	case SIGFPE: return "arithmetic trap";
	case SIGABRT: return "abort";
	default: return "trap";
	}
}

void lkl_signal_fatal(const struct kernel_siginfo *info)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	int sig = info->si_signo;

	if (!show_unhandled_signals || !lkl_is_crash(info) || !__ratelimit(&limit))
		return;
	if (SI_FROMKERNEL(info))
		pr_info("%s[%d]: %s at %lx sp %lx\n", current->comm, task_pid_nr(current),
			lkl_crash_name(sig), (unsigned long)info->si_addr,
			(unsigned long)host_user_sp());
	else
		pr_info("%s[%d]: %s sp %lx\n", current->comm, task_pid_nr(current),
			lkl_crash_name(sig), (unsigned long)host_user_sp());
	lkl_log_backtrace(KERN_INFO, current, true);
}
