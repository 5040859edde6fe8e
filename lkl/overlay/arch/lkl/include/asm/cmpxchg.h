/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_CMPXCHG_H
#define _ASM_LKL_CMPXCHG_H

/* See asm/atomic.h for why plain accesses will do. */
#define arch_xchg(ptr, x) ({						\
	__typeof__(ptr) __xp = (ptr);					\
	__typeof__(*(ptr)) __xo = *(volatile __typeof__(*(ptr)) *)__xp;	\
	*(volatile __typeof__(*(ptr)) *)__xp = (__typeof__(*(ptr)))(x);	\
	__xo; })

#define arch_cmpxchg_local(ptr, o, n) ({				\
	__typeof__(ptr) __cp = (ptr);					\
	__typeof__(*(ptr)) __cn = (__typeof__(*(ptr)))(n);		\
	__typeof__(*(ptr)) __ce = (__typeof__(*(ptr)))(o);		\
	__typeof__(*(ptr)) __co = *(volatile __typeof__(*(ptr)) *)__cp;	\
	if (__co == __ce)						\
		*(volatile __typeof__(*(ptr)) *)__cp = __cn;		\
	__co; })

#define arch_cmpxchg		arch_cmpxchg_local
#define arch_cmpxchg64		arch_cmpxchg_local
#define arch_cmpxchg64_local	arch_cmpxchg_local

#endif
