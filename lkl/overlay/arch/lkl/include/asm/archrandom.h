/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_ARCHRANDOM_H
#define _ASM_LKL_ARCHRANDOM_H

#include <linux/types.h>
#include <asm/lkl_host.h>

/*
 * The host's entropy counts as a hardware seed: the crng is ready before the
 * first process asks. The faster "rdrand" kind would cost a host call each.
 */
static inline size_t __must_check arch_get_random_longs(unsigned long *v, size_t max_longs)
{
	return 0;
}

static inline size_t __must_check arch_get_random_seed_longs(unsigned long *v, size_t max_longs)
{
	host_random(v, max_longs * sizeof(*v));
	return max_longs;
}

#endif
