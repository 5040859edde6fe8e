// SPDX-License-Identifier: GPL-2.0
/* The ends of the machine: halt, power-off, restart, panic. */
#include <linux/console.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/panic_notifier.h>
#include <linux/pm.h>
#include <linux/reboot.h>
#include <asm/lkl_host.h>

void machine_halt(void)
{
	host_halt(LKL_HALT_HALT);
}

void machine_power_off(void)
{
	host_halt(LKL_HALT_POWER_OFF);
}

void machine_restart(char *cmd)
{
	host_halt(LKL_HALT_RESTART);
}

/* reboot(2) turns power-off into halt when nobody can switch off. */
void (*pm_power_off)(void) = machine_power_off;

/*
 * Last of the notifiers. The panic may have struck while the console was
 * locked; what is still in the log buffer must come out before the end.
 */
static int lkl_panic(struct notifier_block *nb, unsigned long event, void *msg)
{
	console_flush_on_panic(CONSOLE_FLUSH_PENDING);
	host_panic();
	return NOTIFY_DONE;
}

static struct notifier_block lkl_panic_nb = {
	.notifier_call	= lkl_panic,
	.priority	= INT_MIN,
};

static int __init lkl_panic_init(void)
{
	atomic_notifier_chain_register(&panic_notifier_list, &lkl_panic_nb);
	return 0;
}
early_initcall(lkl_panic_init);
