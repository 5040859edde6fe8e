/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Linear memory: loads, stores, atomics, bulk operations. The macros are named
 * after the instructions; `a` is a u32 address, `o` the constant offset.
 */
#ifndef W2C_MEM_H
#define W2C_MEM_H

#if W2C_MODE == W2C_MODE_GS
#define W2C_SEG __seg_gs
#define W2C_AT(p) (p)
#elif W2C_MODE == W2C_MODE_COLOCATED
#define W2C_SEG
#define W2C_MEM ((u8 *)in + W2C_CTX_OFFSET)
#define W2C_AT(p) (W2C_MEM + (p))
#else
#define W2C_SEG
#define W2C_MEM ((u8 *)in->head.mem)
#define W2C_AT(p) (W2C_MEM + (p))
#endif

#if W2C_MODE == W2C_MODE_GS
#define W2C_PAGES (W2C_CTX->pages)
#elif W2C_MODE == W2C_MODE_COLOCATED
#define W2C_PAGES (in->head.pages)
#else
#define W2C_PAGES (in->memory->pages)
#endif

#if W2C_STRICT
#define W2C_ACCESS volatile W2C_SEG
#else
#define W2C_ACCESS W2C_SEG
#endif

/* Guest addresses are unaligned and untyped. */
#define W2C_RAW __attribute__((aligned(1), may_alias))
typedef s8 W2C_RAW w2c_s8;
typedef u8 W2C_RAW w2c_u8;
typedef s16 W2C_RAW w2c_s16;
typedef u16 W2C_RAW w2c_u16;
typedef s32 W2C_RAW w2c_s32;
typedef u32 W2C_RAW w2c_u32;
typedef u64 W2C_RAW w2c_u64;
typedef f32 W2C_RAW w2c_f32;
typedef f64 W2C_RAW w2c_f64;

/* GCC reaches a constant address of 2^31 or more by `movabs`, and forgets %gs
 * (seen in 12.2): it must never see a constant. Clang is right. */
#if W2C_MODE == W2C_MODE_GS && !defined(__clang__)
#define W2C_OPAQUE(a)                                                                              \
	({                                                                                         \
		u64 opaque_ = (a);                                                                 \
		__asm__("" : "+r"(opaque_));                                                       \
		opaque_;                                                                           \
	})
#define W2C_NOINLINE __attribute__((noinline, noipa))
#else
#define W2C_OPAQUE(a) ((u64)(a))
#define W2C_NOINLINE __attribute__((noinline))
#endif

#if W2C_BOUNDS_CHECKS
#define W2C_EA(a, o, size)                                                                         \
	({                                                                                         \
		u64 ea_ = W2C_OPAQUE(a) + (o);                                                     \
		if (W2C_UNLIKELY(ea_ + (size) > (u64)W2C_PAGES * W2C_PAGE))                        \
			w2c_trap(W2C_TRAP_MEMORY);                                                 \
		ea_;                                                                               \
	})
#else
#define W2C_EA(a, o, size) (W2C_OPAQUE(a) + (o))
#endif

#define W2C_MEMORY(type, a, o) (*(type W2C_ACCESS *)W2C_AT(W2C_EA(a, o, sizeof(type))))

#define I32_LOAD(a, o) W2C_MEMORY(w2c_u32, a, o)
#define I64_LOAD(a, o) W2C_MEMORY(w2c_u64, a, o)
#define F32_LOAD(a, o) W2C_MEMORY(w2c_f32, a, o)
#define F64_LOAD(a, o) W2C_MEMORY(w2c_f64, a, o)
#define I32_LOAD8_S(a, o) ((u32)(s32)W2C_MEMORY(w2c_s8, a, o))
#define I32_LOAD8_U(a, o) ((u32)W2C_MEMORY(w2c_u8, a, o))
#define I32_LOAD16_S(a, o) ((u32)(s32)W2C_MEMORY(w2c_s16, a, o))
#define I32_LOAD16_U(a, o) ((u32)W2C_MEMORY(w2c_u16, a, o))
#define I64_LOAD8_S(a, o) ((u64)(s64)W2C_MEMORY(w2c_s8, a, o))
#define I64_LOAD8_U(a, o) ((u64)W2C_MEMORY(w2c_u8, a, o))
#define I64_LOAD16_S(a, o) ((u64)(s64)W2C_MEMORY(w2c_s16, a, o))
#define I64_LOAD16_U(a, o) ((u64)W2C_MEMORY(w2c_u16, a, o))
#define I64_LOAD32_S(a, o) ((u64)(s64)W2C_MEMORY(w2c_s32, a, o))
#define I64_LOAD32_U(a, o) ((u64)W2C_MEMORY(w2c_u32, a, o))

#define I32_STORE(a, o, v) (W2C_MEMORY(w2c_u32, a, o) = (v))
#define I64_STORE(a, o, v) (W2C_MEMORY(w2c_u64, a, o) = (v))
#define F32_STORE(a, o, v) (W2C_MEMORY(w2c_f32, a, o) = (v))
#define F64_STORE(a, o, v) (W2C_MEMORY(w2c_f64, a, o) = (v))
#define I32_STORE8(a, o, v) (W2C_MEMORY(w2c_u8, a, o) = (u8)(v))
#define I32_STORE16(a, o, v) (W2C_MEMORY(w2c_u16, a, o) = (u16)(v))
#define I64_STORE8(a, o, v) (W2C_MEMORY(w2c_u8, a, o) = (u8)(v))
#define I64_STORE16(a, o, v) (W2C_MEMORY(w2c_u16, a, o) = (u16)(v))
#define I64_STORE32(a, o, v) (W2C_MEMORY(w2c_u32, a, o) = (u32)(v))

/* ---- atomics: `t` is u8 ... u64 --------------------------------------- */

#define W2C_ATOMIC(t, a, o)                                                                        \
	({                                                                                         \
		u64 at_ = (u64)(a) + (o);                                                          \
		if (sizeof(t) > 1 && W2C_UNLIKELY(at_ & (sizeof(t) - 1)))                          \
			w2c_trap(W2C_TRAP_UNALIGNED);                                              \
		(t W2C_SEG *)W2C_AT(W2C_EA(0, at_, sizeof(t)));                                    \
	})

#if W2C_MODE == W2C_MODE_GS && !defined(__clang__)
/* GCC has no __atomic builtins on named address spaces. */
#include "w2c_gcc_gs.h"
#else
#define ATOMIC_LOAD(t, a, o) __atomic_load_n(W2C_ATOMIC(t, a, o), __ATOMIC_SEQ_CST)
#define ATOMIC_STORE(t, a, o, v) __atomic_store_n(W2C_ATOMIC(t, a, o), (t)(v), __ATOMIC_SEQ_CST)
#if W2C_MODE == W2C_MODE_GS
/* When only a comparison uses the old value, Clang 19 makes one instruction of
 * both and forgets %gs: it must not see the comparison. */
#define W2C_RMW(t, call)                                                                           \
	({                                                                                         \
		t was_ = (call);                                                                   \
		__asm__("" : "+r"(was_));                                                          \
		was_;                                                                              \
	})
#else
#define W2C_RMW(t, call) (call)
#endif
#define ATOMIC_ADD(t, a, o, v)                                                                      \
	W2C_RMW(t, __atomic_fetch_add(W2C_ATOMIC(t, a, o), (t)(v), __ATOMIC_SEQ_CST))
#define ATOMIC_SUB(t, a, o, v)                                                                      \
	W2C_RMW(t, __atomic_fetch_sub(W2C_ATOMIC(t, a, o), (t)(v), __ATOMIC_SEQ_CST))
#define ATOMIC_AND(t, a, o, v)                                                                      \
	W2C_RMW(t, __atomic_fetch_and(W2C_ATOMIC(t, a, o), (t)(v), __ATOMIC_SEQ_CST))
#define ATOMIC_OR(t, a, o, v)                                                                      \
	W2C_RMW(t, __atomic_fetch_or(W2C_ATOMIC(t, a, o), (t)(v), __ATOMIC_SEQ_CST))
#define ATOMIC_XOR(t, a, o, v)                                                                      \
	W2C_RMW(t, __atomic_fetch_xor(W2C_ATOMIC(t, a, o), (t)(v), __ATOMIC_SEQ_CST))
#define ATOMIC_XCHG(t, a, o, v) __atomic_exchange_n(W2C_ATOMIC(t, a, o), (t)(v), __ATOMIC_SEQ_CST)
/* The __sync form takes its operand by value: no address of a local, which gs
 * mode forbids. It is as strong. */
#define ATOMIC_CMPXCHG_(t, a, o, e, v) __sync_val_compare_and_swap(W2C_ATOMIC(t, a, o), (t)(e), (t)(v))
#endif
/* A narrow compare looks at the whole expected operand: one that does not fit
 * never matches, but the access is still made. */
#define ATOMIC_CMPXCHG(t, a, o, e, v)                                                              \
	({                                                                                         \
		u64 e_ = (e);                                                                      \
		(t) e_ == e_ ? ATOMIC_CMPXCHG_(t, a, o, e_, v) : ATOMIC_LOAD(t, a, o);             \
	})
#define ATOMIC_FENCE() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Nobody can wait on an unshared memory. */
#define W2C_UNSHARED_WAIT32(a, o, e, timeout)                                                      \
	({                                                                                         \
		(void)W2C_ATOMIC(u32, a, o);                                                       \
		w2c_trap(W2C_TRAP_NOT_SHARED);                                                     \
		0u;                                                                                \
	})
#define W2C_UNSHARED_WAIT64(a, o, e, timeout)                                                      \
	({                                                                                         \
		(void)W2C_ATOMIC(u64, a, o);                                                       \
		w2c_trap(W2C_TRAP_NOT_SHARED);                                                     \
		0u;                                                                                \
	})
#define W2C_UNSHARED_NOTIFY(a, o, n) ((void)*(volatile u32 W2C_SEG *)W2C_ATOMIC(u32, a, o), 0u)

#if W2C_MODE != W2C_MODE_GS
/* Supplied by the embedder, in base mode by w2c_rt.c. `addr` is in bounds and
 * aligned; `timeout` is in ns, negative for ever. 0 woken, 1 the value differs,
 * 2 timed out. */
u32 w2c_wait32(void *addr, u32 expected, s64 timeout);
u32 w2c_wait64(void *addr, u64 expected, s64 timeout);
/* How many were woken. */
u32 w2c_notify(void *addr, u32 count);
#define W2C_TOUCHED(t, a, o)                                                                       \
	({                                                                                         \
		t *touched_ = W2C_ATOMIC(t, a, o);                                                 \
		(void)*(volatile t *)touched_;                                                     \
		touched_;                                                                          \
	})
#define W2C_SHARED_WAIT32(a, o, e, timeout) w2c_wait32(W2C_TOUCHED(u32, a, o), e, (s64)(timeout))
#define W2C_SHARED_WAIT64(a, o, e, timeout) w2c_wait64(W2C_TOUCHED(u64, a, o), e, (s64)(timeout))
#define W2C_SHARED_NOTIFY(a, o, n) w2c_notify(W2C_TOUCHED(u32, a, o), n)
#endif

/* ---- bulk -------------------------------------------------------------- */

#define W2C_CHECK_RANGE(at, n, limit, code)                                                        \
	do {                                                                                       \
		if (W2C_UNLIKELY((u64)(at) + (n) > (u64)(limit)))                                  \
			w2c_trap(code);                                                            \
	} while (0)
#define W2C_LIMIT ((u64)W2C_PAGES * W2C_PAGE)

#if W2C_MODE == W2C_MODE_GS

/* Copies never see an absolute address of guest memory: a fault inside may
 * become a guest signal whose handler forks, and frames must be copyable. */
typedef u8 w2c_v16 __attribute__((vector_size(16), aligned(1), may_alias));

#define W2C_COPY_BODY(SRC)                                                                         \
	u32 i = 0;                                                                                 \
	for (; n - i >= 64; i += 64) {                                                             \
		w2c_v16 a = *(const w2c_v16 SRC *)(s + i);                                         \
		w2c_v16 b = *(const w2c_v16 SRC *)(s + i + 16);                                    \
		w2c_v16 c = *(const w2c_v16 SRC *)(s + i + 32);                                    \
		w2c_v16 e = *(const w2c_v16 SRC *)(s + i + 48);                                    \
		*(w2c_v16 __seg_gs *)(d + i) = a;                                                  \
		*(w2c_v16 __seg_gs *)(d + i + 16) = b;                                             \
		*(w2c_v16 __seg_gs *)(d + i + 32) = c;                                             \
		*(w2c_v16 __seg_gs *)(d + i + 48) = e;                                             \
	}                                                                                          \
	for (; n - i >= 8; i += 8)                                                                 \
		*(w2c_u64 __seg_gs *)(d + i) = *(const w2c_u64 SRC *)(s + i);                      \
	for (; i < n; i++)                                                                         \
		*(volatile u8 __seg_gs *)(d + i) = *(const u8 SRC *)(s + i);

static W2C_NOINLINE W2C_UNUSED void w2c_memory_copy(u32 to, u32 from, u32 n)
{
	u64 d = to, s = from;

	W2C_CHECK_RANGE(d, n, W2C_LIMIT, W2C_TRAP_MEMORY);
	W2C_CHECK_RANGE(s, n, W2C_LIMIT, W2C_TRAP_MEMORY);
	if (d - s >= n) { /* forwards is right: below, or clear of the source */
		W2C_COPY_BODY(__seg_gs)
		return;
	}
	while (n >= 16) {
		n -= 16;
		w2c_v16 v = *(const w2c_v16 __seg_gs *)(s + n);
		*(w2c_v16 __seg_gs *)(d + n) = v;
	}
	while (n) {
		n--;
		*(volatile u8 __seg_gs *)(d + n) = *(const u8 __seg_gs *)(s + n);
	}
}

/* `from` is constant data of the module, the same address in every process. */
static W2C_NOINLINE W2C_UNUSED void w2c_memory_init(u32 to, const u8 *from, u32 n)
{
	u64 d = to;
	const u8 *s = from;

	W2C_CHECK_RANGE(d, n, W2C_LIMIT, W2C_TRAP_MEMORY);
	W2C_COPY_BODY()
}

static W2C_NOINLINE W2C_UNUSED void w2c_memory_fill(u32 to, u32 value, u32 n)
{
	u64 d = to;
	u8 byte = (u8)value;
	u64 word = byte * 0x0101010101010101ull;
	w2c_v16 v = (w2c_v16){} + byte;
	u32 i = 0;

	W2C_CHECK_RANGE(d, n, W2C_LIMIT, W2C_TRAP_MEMORY);
	for (; n - i >= 64; i += 64) {
		*(w2c_v16 __seg_gs *)(d + i) = v;
		*(w2c_v16 __seg_gs *)(d + i + 16) = v;
		*(w2c_v16 __seg_gs *)(d + i + 32) = v;
		*(w2c_v16 __seg_gs *)(d + i + 48) = v;
	}
	for (; n - i >= 8; i += 8)
		*(w2c_u64 __seg_gs *)(d + i) = word;
	for (; i < n; i++)
		*(volatile u8 __seg_gs *)(d + i) = byte;
}

#define MEMORY_COPY(d, s, n) w2c_memory_copy(d, s, n)
#define MEMORY_FILL(d, v, n) w2c_memory_fill(d, v, n)
#define W2C_MEMORY_INIT(d, bytes, n) w2c_memory_init(d, bytes, n)

#else

static inline W2C_UNUSED void w2c_memory_copy(u8 *mem, u64 limit, u32 d, u32 s, u32 n)
{
	W2C_CHECK_RANGE(d, n, limit, W2C_TRAP_MEMORY);
	W2C_CHECK_RANGE(s, n, limit, W2C_TRAP_MEMORY);
	__builtin_memmove(mem + d, mem + s, n);
}

static inline W2C_UNUSED void w2c_memory_init(u8 *mem, u64 limit, u32 d, const u8 *s, u32 n)
{
	W2C_CHECK_RANGE(d, n, limit, W2C_TRAP_MEMORY);
	__builtin_memcpy(mem + d, s, n);
}

static inline W2C_UNUSED void w2c_memory_fill(u8 *mem, u64 limit, u32 d, u32 v, u32 n)
{
	W2C_CHECK_RANGE(d, n, limit, W2C_TRAP_MEMORY);
	__builtin_memset(mem + d, (int)v, n);
}

#define MEMORY_COPY(d, s, n) w2c_memory_copy(W2C_MEM, W2C_LIMIT, d, s, n)
#define MEMORY_FILL(d, v, n) w2c_memory_fill(W2C_MEM, W2C_LIMIT, d, v, n)
#define W2C_MEMORY_INIT(d, bytes, n) w2c_memory_init(W2C_MEM, W2C_LIMIT, d, bytes, n)

#endif

/* `len` is the segment's length, 0 once it is dropped. */
#define MEMORY_INIT(d, s, n, bytes, len)                                                           \
	do {                                                                                       \
		u32 s_ = (s), n_ = (n);                                                            \
		W2C_CHECK_RANGE(s_, n_, len, W2C_TRAP_MEMORY);                                     \
		W2C_MEMORY_INIT(d, (bytes) + s_, n_);                                              \
	} while (0)

#endif
