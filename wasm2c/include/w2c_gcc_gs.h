/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Atomics of gs mode for GCC, whose builtins refuse named address spaces. */
#ifndef W2C_GCC_GS_H
#define W2C_GCC_GS_H

#define W2C_GCC_CAS(t, p, e, v)                                                                    \
	({                                                                                         \
		t old_;                                                                            \
		__asm__ volatile("lock cmpxchg %2, %%gs:(%3)"                                      \
				 : "=a"(old_)                                                      \
				 : "0"((t)(e)), "q"((t)(v)), "r"((u64)(p))                         \
				 : "memory", "cc");                                                \
		old_;                                                                              \
	})
#define W2C_GCC_XCHG(insn, t, p, v)                                                                \
	({                                                                                         \
		t new_ = (t)(v);                                                                   \
		__asm__ volatile(insn " %0, %%gs:(%1)" : "+q"(new_) : "r"((u64)(p)) : "memory", "cc"); \
		new_;                                                                              \
	})
#define W2C_GCC_LOOP(t, p, v, op)                                                                  \
	({                                                                                         \
		u64 where_ = (u64)(p);                                                             \
		t arg_ = (t)(v), seen_ = *(volatile t __seg_gs *)where_, was_;                     \
		while ((was_ = W2C_GCC_CAS(t, where_, seen_, seen_ op arg_)) != seen_)             \
			seen_ = was_;                                                              \
		was_;                                                                              \
	})

#define ATOMIC_LOAD(t, a, o)                                                                       \
	({                                                                                         \
		t got_ = *(volatile t __seg_gs *)W2C_ATOMIC(t, a, o);                              \
		__atomic_signal_fence(__ATOMIC_SEQ_CST);                                           \
		got_;                                                                              \
	})
#define ATOMIC_STORE(t, a, o, v) ((void)W2C_GCC_XCHG("xchg", t, W2C_ATOMIC(t, a, o), v))
#define ATOMIC_ADD(t, a, o, v) W2C_GCC_XCHG("lock xadd", t, W2C_ATOMIC(t, a, o), v)
#define ATOMIC_SUB(t, a, o, v) W2C_GCC_XCHG("lock xadd", t, W2C_ATOMIC(t, a, o), -(t)(v))
#define ATOMIC_AND(t, a, o, v) W2C_GCC_LOOP(t, W2C_ATOMIC(t, a, o), v, &)
#define ATOMIC_OR(t, a, o, v) W2C_GCC_LOOP(t, W2C_ATOMIC(t, a, o), v, |)
#define ATOMIC_XOR(t, a, o, v) W2C_GCC_LOOP(t, W2C_ATOMIC(t, a, o), v, ^)
#define ATOMIC_XCHG(t, a, o, v) W2C_GCC_XCHG("xchg", t, W2C_ATOMIC(t, a, o), v)
#define ATOMIC_CMPXCHG_(t, a, o, e, v) W2C_GCC_CAS(t, W2C_ATOMIC(t, a, o), e, v)

#endif
