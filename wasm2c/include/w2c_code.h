/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What generated code calls, by mode: traps, safepoints, calls. Included by
 * w2c.h. In base mode every function has the instance in `in`.
 */
#ifndef W2C_CODE_H
#define W2C_CODE_H

/* A value that nobody uses, but whose computation may trap: a volatile read in
 * the source must fault where a used one would. */
#define W2C_USED(e)                                                                                \
	do {                                                                                       \
		volatile __typeof__((e) + 0) used_ = (e);                                          \
		(void)used_;                                                                       \
	} while (0)

#if W2C_MODE == W2C_MODE_GS

/* Never a real pointer: an offset from %gs, so it may be in any frame. */
#define W2C_CTX ((struct w2c_head __seg_gs *)(-(s64)W2C_CTX_OFFSET))
#define W2C_OP(i, type) ((type)W2C_CTX->ops[i])

static W2C_UNUSED W2C_COLD __attribute__((noreturn)) void w2c_trap(u32 code)
{
	W2C_OP(W2C_OP_TRAP, void (*)(u32))(code);
	__builtin_unreachable();
}

static W2C_UNUSED W2C_COLD void w2c_poll(void)
{
	W2C_OP(W2C_OP_SAFEPOINT, void (*)(void))();
}

#define W2C_SAFEPOINT()                                                                            \
	do {                                                                                       \
		if (W2C_UNLIKELY(*(volatile u32 __seg_gs *)(-(s64)W2C_PENDING_OFFSET)))            \
			w2c_poll();                                                                \
	} while (0)

static W2C_UNUSED u32 w2c_grow(u32 pages)
{
	u32 (*grow)(u32) = W2C_OP(W2C_OP_GROW, u32 (*)(u32));

	return grow ? grow(pages) : UINT32_MAX;
}

#define W2C_GROW(pages) w2c_grow(pages)
#define W2C_SYSCALL(nr, a, b, c, d, e, f)                                                          \
	W2C_OP(W2C_OP_SYSCALL, u32 (*)(u32, u64, u64, u64, u64, u64, u64))(nr, a, b, c, d, e, f)
#define W2C_FORK() W2C_OP(W2C_OP_FORK, u32 (*)(void))()
#define W2C_VFORK() W2C_OP(W2C_OP_VFORK, u32 (*)(void))()

static W2C_UNUSED W2C_COLD __attribute__((noreturn)) void w2c_longjmp(u32 buf, u32 value)
{
	W2C_OP(W2C_OP_LONGJMP, void (*)(u32, u32))(buf, value);
	__builtin_unreachable();
}

#else

/* Supplied by the embedder. */
__attribute__((noreturn, cold)) void w2c_trap(u32 code);
__attribute__((cold)) void w2c_safepoint(void *in);
/* The old size in pages, or UINT32_MAX. */
u32 w2c_grow(void *in, u32 pages);

#define W2C_SAFEPOINT()                                                                            \
	do {                                                                                       \
		if (W2C_UNLIKELY(*(volatile u32 *)(W2C_MEM - W2C_PENDING_OFFSET)))                 \
			w2c_safepoint(in);                                                         \
	} while (0)

#endif

/* How a context keeps its pending exception. GCC 12 crashes on a value that it
 * sees go from there and back in one function. */
#if W2C_MODE == W2C_MODE_GS && !defined(__clang__)
#define W2C_EXN volatile
#else
#define W2C_EXN
#endif

#if W2C_MODE == W2C_MODE_COLOCATED
#define W2C_GROW(pages) w2c_grow(in, pages)
#endif

#include "w2c_mem.h"
#include "w2c_num.h"
#if W2C_MODE == W2C_MODE_BASE
#include "w2c_rt.h"
#endif

/* Functions from index `first` of a constant table of `size` elements; the
 * rest are null. */
static inline W2C_UNUSED const struct w2c_func *w2c_entry_any(const struct w2c_func *table, u32 first, u32 n,
							  u32 size, u32 i)
{
	if (W2C_UNLIKELY(i - first >= n))
		w2c_trap(i < size ? W2C_TRAP_NULL_FUNC : W2C_TRAP_UNDEFINED);
	if (W2C_UNLIKELY(!table[i - first].type))
		w2c_trap(W2C_TRAP_NULL_FUNC);
	return &table[i - first];
}

/* Whether entry i is a function of one type. */
static inline W2C_UNUSED int w2c_is_type(const struct w2c_func *table, u32 first, u32 n, u32 i, u32 type)
{
	return i - first < n && table[i - first].type == type;
}

/* Of one type, or a trap. */
static inline W2C_UNUSED void (*w2c_entry(const struct w2c_func *table, u32 first, u32 n, u32 size, u32 i,
					  u32 type))(void)
{
	if (W2C_UNLIKELY(!w2c_is_type(table, first, n, i, type))) {
		w2c_entry_any(table, first, n, size, i);
		w2c_trap(W2C_TRAP_SIGNATURE);
	}
	return table[i - first].fn;
}

/* What a function of any type has returned: an integer, or the bits of a
 * floating-point value. */
struct w2c_returned {
	u64 i, f;
};

/* table.get of a constant table of `size` elements. */
static inline W2C_UNUSED w2c_ref w2c_entry_ref(const struct w2c_func *table, u32 first, u32 n, u32 size, u32 i)
{
	if (W2C_UNLIKELY(i >= size))
		w2c_trap(W2C_TRAP_TABLE);
	return i - first < n && table[i - first].type ? &table[i - first] : 0;
}

#endif
