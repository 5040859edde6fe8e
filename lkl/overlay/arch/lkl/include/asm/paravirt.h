/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_PARAVIRT_H
#define _ASM_LKL_PARAVIRT_H

#include <linux/jump_label.h>
#include <linux/types.h>

extern struct static_key paravirt_steal_enabled;
extern struct static_key paravirt_steal_rq_enabled;

/* What the host has taken, as it was known at the last look at sched_clock(). */
extern u64 lkl_stolen;

static inline u64 paravirt_steal_clock(int cpu)
{
	return lkl_stolen;
}

#endif
