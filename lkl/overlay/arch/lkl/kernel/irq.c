// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts. Bits LKL_IRQ_* of the pending word are Linux interrupt numbers.
 */
#include <linux/hardirq.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <asm/irq_regs.h>
#include <asm/irqflags.h>
#include <asm/lkl_host.h>
#include <asm/processor.h>

#define LKL_NR_IRQS 32

unsigned long lkl_irq_enabled;

/* What user_mode() sees for an interrupt that was taken inside the kernel. */
static struct pt_regs kernel_regs;

/*
 * Interrupts are enabled and at least one is pending. Handlers run with them
 * disabled; softirqs after the last of them enable them again, so this nests
 * once, like hardware.
 */
void lkl_run_irqs(void)
{
	struct pt_regs *old;
	unsigned int pending;

	lkl_irq_enabled = ARCH_IRQ_DISABLED;
	/* An interrupt at a safepoint has set its own registers already. */
	old = get_irq_regs();
	if (!old)
		set_irq_regs(&kernel_regs);
	while ((pending = host_irq_take())) {
		irq_enter();
		/* Only wants irq_exit(): see kernel/softirq.c. */
		pending &= ~(1U << LKL_IRQ_SOFT);
		while (pending) {
			generic_handle_irq(__builtin_ctz(pending));
			pending &= pending - 1;
		}
		irq_exit();
	}
	set_irq_regs(old);
	lkl_irq_enabled = ARCH_IRQ_ENABLED;
}

/* Calls of lkl_cpu_relax() from one look of the host's at its clock to the next. */
#define LKL_POLL_CALLS 64

/* Whoever spins, or asks whether others should run, may wait for what only an interrupt brings. */
void lkl_cpu_relax(void)
{
	static unsigned int calls;

	barrier();
	if (++calls % LKL_POLL_CALLS == 0)
		host_irq_poll();
	if (lkl_irq_enabled && lkl_irq_pending())
		lkl_run_irqs();
}

static struct irq_chip lkl_irq_chip;

void __init init_IRQ(void)
{
	int i;

	/* Lines cannot be masked; only /proc/interrupts needs a name. */
	lkl_irq_chip = dummy_irq_chip;
	lkl_irq_chip.name = "host";
	for (i = 0; i < LKL_NR_IRQS; i++)
		irq_set_chip_and_handler(i, &lkl_irq_chip, handle_simple_irq);
}
