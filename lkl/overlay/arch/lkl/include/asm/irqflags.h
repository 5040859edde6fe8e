/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_IRQFLAGS_H
#define _ASM_LKL_IRQFLAGS_H

/*
 * Interrupts are bits of one word that any host thread may set. The kernel
 * looks at it when it enables interrupts, in cpu_relax(), in need_resched() and
 * before it returns to user mode; it takes the bits through a host call, because
 * a load and a store of ours would race with the host.
 */
#include <linux/types.h>
#include <asm/lkl_host.h>

#define ARCH_IRQ_DISABLED	0UL
#define ARCH_IRQ_ENABLED	1UL

extern unsigned long lkl_irq_enabled;
extern void lkl_run_irqs(void);

#define lkl_irq_pending()	(*(volatile u32 *)LKL_PENDING_ADDR)

static inline unsigned long arch_local_save_flags(void)
{
	return lkl_irq_enabled;
}
#define arch_local_save_flags arch_local_save_flags

static inline void arch_local_irq_restore(unsigned long flags)
{
	asm volatile("" ::: "memory");
	lkl_irq_enabled = flags;
	if (flags && __builtin_expect(lkl_irq_pending(), 0))
		lkl_run_irqs();
	asm volatile("" ::: "memory");
}
#define arch_local_irq_restore arch_local_irq_restore

#include <asm-generic/irqflags.h>

#endif
