/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_FUTEX_H
#define _ASM_LKL_FUTEX_H

/*
 * One CPU and no preemption make plain accesses atomic, unless one of them
 * waits for its page: then the caller faults it in without the bucket's lock.
 */
#define futex_atomic_cmpxchg_inatomic(uval, uaddr, oldval, newval)		\
({										\
	int __ret;								\
	pagefault_disable();							\
	__ret = futex_atomic_cmpxchg_inatomic_local(uval, uaddr, oldval, newval); \
	pagefault_enable();							\
	__ret;									\
})
#define arch_futex_atomic_op_inuser(op, oparg, oval, uaddr)			\
({										\
	int __ret;								\
	pagefault_disable();							\
	__ret = futex_atomic_op_inuser_local(op, oparg, oval, uaddr);		\
	pagefault_enable();							\
	__ret;									\
})

#include <asm-generic/futex.h>

#endif
