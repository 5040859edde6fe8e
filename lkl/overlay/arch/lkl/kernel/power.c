// SPDX-License-Identifier: GPL-2.0
/*
 * The host asks for an orderly end. BusyBox's init powers off on SIGUSR2; an
 * init that does not care for the signal cannot do it, so the kernel does.
 */
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/reboot.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/syscalls.h>
#include <linux/workqueue.h>
#include <asm/lkl_host.h>

/* Caught, or blocked for sigwait(): else init would never see it. */
static bool lkl_init_listens(void)
{
	struct task_struct *init = init_pid_ns.child_reaper;
	bool listens;

	spin_lock_irq(&init->sighand->siglock);
	listens = sigismember(&init->blocked, SIGUSR2) ||
		  sigismember(&init->real_blocked, SIGUSR2) ||
		  (init->sighand->action[SIGUSR2 - 1].sa.sa_handler != SIG_DFL &&
		   init->sighand->action[SIGUSR2 - 1].sa.sa_handler != SIG_IGN);
	spin_unlock_irq(&init->sighand->siglock);
	return listens;
}

static void lkl_power_off(struct work_struct *work)
{
	if (lkl_init_listens()) {
		kill_cad_pid(SIGUSR2, 1);
		return;
	}
	ksys_sync();
	kernel_power_off();
}

static DECLARE_WORK(lkl_power_work, lkl_power_off);

static irqreturn_t lkl_power_irq(int irq, void *dev)
{
	schedule_work(&lkl_power_work);
	return IRQ_HANDLED;
}

static int __init lkl_power_init(void)
{
	return request_irq(LKL_IRQ_POWER, lkl_power_irq, 0, "power", NULL);
}
late_initcall(lkl_power_init);
