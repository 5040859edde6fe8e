/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Numeric instructions that are not a C operator. */
#ifndef W2C_NUM_H
#define W2C_NUM_H

#define W2C_FN static inline W2C_UNUSED

/* ---- integers ----------------------------------------------------------- */

#define W2C_INT(N, U, S, MIN)                                                                      \
	W2C_FN U i##N##_div_s(U a, U b)                                                            \
	{                                                                                          \
		if (W2C_UNLIKELY(b == 0))                                                          \
			w2c_trap(W2C_TRAP_DIV_BY_ZERO);                                            \
		if (W2C_UNLIKELY(a == MIN && b == (U)-1))                                          \
			w2c_trap(W2C_TRAP_INT_OVERFLOW);                                           \
		return (U)((S)a / (S)b);                                                           \
	}                                                                                          \
	W2C_FN U i##N##_div_u(U a, U b)                                                            \
	{                                                                                          \
		if (W2C_UNLIKELY(b == 0))                                                          \
			w2c_trap(W2C_TRAP_DIV_BY_ZERO);                                            \
		return a / b;                                                                      \
	}                                                                                          \
	W2C_FN U i##N##_rem_s(U a, U b)                                                            \
	{                                                                                          \
		if (W2C_UNLIKELY(b == 0))                                                          \
			w2c_trap(W2C_TRAP_DIV_BY_ZERO);                                            \
		return W2C_UNLIKELY(b == (U)-1) ? 0 : (U)((S)a % (S)b);                            \
	}                                                                                          \
	W2C_FN U i##N##_rem_u(U a, U b)                                                            \
	{                                                                                          \
		if (W2C_UNLIKELY(b == 0))                                                          \
			w2c_trap(W2C_TRAP_DIV_BY_ZERO);                                            \
		return a % b;                                                                      \
	}                                                                                          \
	W2C_FN U i##N##_rotl(U a, U n) { return (a << (n & (N - 1))) | (a >> (-n & (N - 1))); }    \
	W2C_FN U i##N##_rotr(U a, U n) { return (a >> (n & (N - 1))) | (a << (-n & (N - 1))); }

W2C_INT(32, u32, s32, 0x80000000u)
W2C_INT(64, u64, s64, 0x8000000000000000ull)

W2C_FN u32 i32_clz(u32 a) { return a ? (u32)__builtin_clz(a) : 32; }
W2C_FN u32 i32_ctz(u32 a) { return a ? (u32)__builtin_ctz(a) : 32; }
W2C_FN u32 i32_popcnt(u32 a) { return (u32)__builtin_popcount(a); }
W2C_FN u64 i64_clz(u64 a) { return a ? (u64)__builtin_clzll(a) : 64; }
W2C_FN u64 i64_ctz(u64 a) { return a ? (u64)__builtin_ctzll(a) : 64; }
W2C_FN u64 i64_popcnt(u64 a) { return (u64)__builtin_popcountll(a); }

/* ---- bits --------------------------------------------------------------- */

/* A union, not memcpy: no address of a local, even before optimisation. */
W2C_FN f32 f32_reinterpret_i32(u32 a) { return ((union w2c_value){.i32 = a}).f32; }
W2C_FN u32 i32_reinterpret_f32(f32 a) { return ((union w2c_value){.f32 = a}).i32; }
W2C_FN f64 f64_reinterpret_i64(u64 a) { return ((union w2c_value){.i64 = a}).f64; }
W2C_FN u64 i64_reinterpret_f64(f64 a) { return ((union w2c_value){.f64 = a}).i64; }

/* ---- floats --------------------------------------------------------------- */

/* Compilers may return a signalling NaN as it is where the specification wants
 * a quiet one. Programs do not look; its tests do. */
#if W2C_STRICT
#define W2C_QUIET(x) ((x) != (x) ? (x) + (x) : (x))
#else
#define W2C_QUIET(x) (x)
#endif

#define W2C_FLOAT(F, N, B)                                                                         \
	W2C_FN F F##_min(F a, F b)                                                                 \
	{                                                                                          \
		if (W2C_UNLIKELY(a != a || b != b))                                                \
			return a + b;                                                              \
		if (a == b)                                                                        \
			return __builtin_signbit(a) ? a : b;                                       \
		return a < b ? a : b;                                                              \
	}                                                                                          \
	W2C_FN F F##_max(F a, F b)                                                                 \
	{                                                                                          \
		if (W2C_UNLIKELY(a != a || b != b))                                                \
			return a + b;                                                              \
		if (a == b)                                                                        \
			return __builtin_signbit(a) ? b : a;                                       \
		return a > b ? a : b;                                                              \
	}                                                                                          \
	W2C_FN F F##_abs(F a) { return B(fabs)(a); }                                               \
	W2C_FN F F##_copysign(F a, F b) { return B(copysign)(a, b); }                              \
	W2C_FN F F##_sqrt(F a) { return B(sqrt)(a); }                                              \
	W2C_FN F F##_ceil(F a) { return B(ceil)(W2C_QUIET(a)); }                                              \
	W2C_FN F F##_floor(F a) { return B(floor)(W2C_QUIET(a)); }                                            \
	W2C_FN F F##_trunc(F a) { return B(trunc)(W2C_QUIET(a)); }                                            \
	W2C_FN F F##_nearest(F a) { return B(rint)(W2C_QUIET(a)); }

#define W2C_B32(name) __builtin_##name##f
#define W2C_B64(name) __builtin_##name
W2C_FLOAT(f32, 32, W2C_B32)
W2C_FLOAT(f64, 64, W2C_B64)

W2C_FN f32 f32_demote_f64(f64 a) { return (f32)W2C_QUIET(a); }
W2C_FN f64 f64_promote_f32(f32 a) { return (f64)W2C_QUIET(a); }

/*
 * Truncation of F to an integer: defined for LO OP x < HI, where both bounds
 * are exact in F.
 */
#define W2C_TRUNC(name, F, R, C, OP, LO, HI, MIN, MAX)                                             \
	W2C_FN R name(F x)                                                                         \
	{                                                                                          \
		if (W2C_UNLIKELY(!(x OP LO && x < HI)))                                            \
			w2c_trap(x != x ? W2C_TRAP_BAD_CONVERSION : W2C_TRAP_INT_OVERFLOW);        \
		return (R)(C)x;                                                                    \
	}                                                                                          \
	W2C_FN R name##_sat(F x)                                                                   \
	{                                                                                          \
		if (W2C_LIKELY(x OP LO && x < HI))                                                 \
			return (R)(C)x;                                                            \
		return x != x ? 0 : x < 0 ? MIN : MAX;                                             \
	}

W2C_TRUNC(i32_trunc_f32_s, f32, u32, s32, >=, -0x1p31f, 0x1p31f, 0x80000000u, 0x7fffffffu)
W2C_TRUNC(i32_trunc_f32_u, f32, u32, u32, >, -1.0f, 0x1p32f, 0, UINT32_MAX)
W2C_TRUNC(i32_trunc_f64_s, f64, u32, s32, >, -2147483649.0, 0x1p31, 0x80000000u, 0x7fffffffu)
W2C_TRUNC(i32_trunc_f64_u, f64, u32, u32, >, -1.0, 0x1p32, 0, UINT32_MAX)
W2C_TRUNC(i64_trunc_f32_s, f32, u64, s64, >=, -0x1p63f, 0x1p63f, 1ull << 63, INT64_MAX)
W2C_TRUNC(i64_trunc_f32_u, f32, u64, u64, >, -1.0f, 0x1p64f, 0, UINT64_MAX)
W2C_TRUNC(i64_trunc_f64_s, f64, u64, s64, >=, -0x1p63, 0x1p63, 1ull << 63, INT64_MAX)
W2C_TRUNC(i64_trunc_f64_u, f64, u64, u64, >, -1.0, 0x1p64, 0, UINT64_MAX)

#endif
