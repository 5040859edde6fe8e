/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_ATOMIC_H
#define _ASM_LKL_ATOMIC_H

/*
 * One CPU, and interrupts are only taken where they are enabled: a plain
 * read-modify-write is atomic.
 */
#include <linux/types.h>
#include <asm/cmpxchg.h>
#include <asm/barrier.h>

#define arch_atomic_read(v)	READ_ONCE((v)->counter)
#define arch_atomic_set(v, i)	WRITE_ONCE(((v)->counter), (i))

typedef struct {
	s64 counter;
} atomic64_t;

#define ATOMIC64_INIT(i) { (i) }
/* READ_ONCE of 64 bits is refused on 32-bit arches; here it is one load. */
#define arch_atomic64_read(v)	(*(const volatile s64 *)&(v)->counter)
#define arch_atomic64_set(v, i)	(*(volatile s64 *)&(v)->counter = (i))

#define LKL_ATOMIC_OP(pfx, type, op, c_op)				\
static __always_inline void arch_##pfx##_##op(type i, pfx##_t *v)	\
{									\
	arch_##pfx##_set(v, arch_##pfx##_read(v) c_op i);		\
}

#define LKL_ATOMIC_RETURN(pfx, type, op, c_op)				\
static __always_inline type arch_##pfx##_##op##_return(type i, pfx##_t *v) \
{									\
	type r = arch_##pfx##_read(v) c_op i;				\
									\
	arch_##pfx##_set(v, r);						\
	return r;							\
}

#define LKL_ATOMIC_FETCH(pfx, type, op, c_op)				\
static __always_inline type arch_##pfx##_fetch_##op(type i, pfx##_t *v)	\
{									\
	type r = arch_##pfx##_read(v);					\
									\
	arch_##pfx##_set(v, r c_op i);					\
	return r;							\
}

#define LKL_ATOMIC_ALL(pfx, type)		\
	LKL_ATOMIC_OP(pfx, type, add, +)	\
	LKL_ATOMIC_OP(pfx, type, sub, -)	\
	LKL_ATOMIC_OP(pfx, type, and, &)	\
	LKL_ATOMIC_OP(pfx, type, or, |)		\
	LKL_ATOMIC_OP(pfx, type, xor, ^)	\
	LKL_ATOMIC_RETURN(pfx, type, add, +)	\
	LKL_ATOMIC_RETURN(pfx, type, sub, -)	\
	LKL_ATOMIC_FETCH(pfx, type, add, +)	\
	LKL_ATOMIC_FETCH(pfx, type, sub, -)	\
	LKL_ATOMIC_FETCH(pfx, type, and, &)	\
	LKL_ATOMIC_FETCH(pfx, type, or, |)	\
	LKL_ATOMIC_FETCH(pfx, type, xor, ^)

LKL_ATOMIC_ALL(atomic, int)
LKL_ATOMIC_ALL(atomic64, s64)

#undef LKL_ATOMIC_ALL
#undef LKL_ATOMIC_OP
#undef LKL_ATOMIC_RETURN
#undef LKL_ATOMIC_FETCH

/* The fallback generator asks by name. */
#define arch_atomic_add			arch_atomic_add
#define arch_atomic_sub			arch_atomic_sub
#define arch_atomic_and			arch_atomic_and
#define arch_atomic_or			arch_atomic_or
#define arch_atomic_xor			arch_atomic_xor
#define arch_atomic_add_return		arch_atomic_add_return
#define arch_atomic_sub_return		arch_atomic_sub_return
#define arch_atomic_fetch_add		arch_atomic_fetch_add
#define arch_atomic_fetch_sub		arch_atomic_fetch_sub
#define arch_atomic_fetch_and		arch_atomic_fetch_and
#define arch_atomic_fetch_or		arch_atomic_fetch_or
#define arch_atomic_fetch_xor		arch_atomic_fetch_xor
#define arch_atomic64_add		arch_atomic64_add
#define arch_atomic64_sub		arch_atomic64_sub
#define arch_atomic64_and		arch_atomic64_and
#define arch_atomic64_or		arch_atomic64_or
#define arch_atomic64_xor		arch_atomic64_xor
#define arch_atomic64_add_return	arch_atomic64_add_return
#define arch_atomic64_sub_return	arch_atomic64_sub_return
#define arch_atomic64_fetch_add		arch_atomic64_fetch_add
#define arch_atomic64_fetch_sub		arch_atomic64_fetch_sub
#define arch_atomic64_fetch_and		arch_atomic64_fetch_and
#define arch_atomic64_fetch_or		arch_atomic64_fetch_or
#define arch_atomic64_fetch_xor		arch_atomic64_fetch_xor

#endif
