/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Runtime of the C that wasm2c generates, for GNU C on 64-bit hosts.
 *
 *     linear memory
 *   M-12288            M-4096        M                 M+4 GiB     M+8 GiB
 *   | context (8 KiB)  | pending page | linear memory   | never mapped |
 *
 * A generated file sets the switches it needs and includes this header. An
 * engine may include it alone to learn the layout.
 *
 *   W2C_MODE            W2C_MODE_BASE (default): functions take the instance
 *                       as parameter `in`, memory is at in->head.mem.
 *                       W2C_MODE_COLOCATED: the same, and the instance is the
 *                       context above: memory is at a constant distance.
 *                       W2C_MODE_GS: %gs is M; x86-64 Linux only.
 *   W2C_STRICT          1: a load whose value is unused still traps, and a
 *                       signalling NaN is always quieted. Default 0.
 *   W2C_BOUNDS_CHECKS   1: every access is compared with the memory's size;
 *                       0 (default): what lies beyond it is unmapped, and the
 *                       engine turns the fault into a trap.
 */
#ifndef W2C_H
#define W2C_H

#define W2C_ABI 1

#define W2C_MODE_BASE 1
#define W2C_MODE_COLOCATED 2
#define W2C_MODE_GS 3

#ifndef W2C_MODE
#define W2C_MODE W2C_MODE_BASE
#endif
#if W2C_MODE < 1 || W2C_MODE > 3
#error "W2C_MODE must be W2C_MODE_BASE, W2C_MODE_COLOCATED or W2C_MODE_GS"
#endif
#ifndef W2C_STRICT
#define W2C_STRICT 0
#endif
#if W2C_STRICT != 0 && W2C_STRICT != 1
#error "W2C_STRICT must be 0 or 1"
#endif
#ifndef W2C_BOUNDS_CHECKS
#define W2C_BOUNDS_CHECKS 0
#endif
#if W2C_BOUNDS_CHECKS != 0 && W2C_BOUNDS_CHECKS != 1
#error "W2C_BOUNDS_CHECKS must be 0 or 1"
#endif
#if W2C_MODE == W2C_MODE_GS && !(defined(__x86_64__) && defined(__linux__))
#error "W2C_MODE_GS needs x86-64 Linux"
#endif
#if __SIZEOF_POINTER__ != 8 || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the generated code needs a 64-bit little-endian host"
#endif

#include <stddef.h>
#include <stdint.h>

typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef float f32;
typedef double f64;

/* funcref: a `struct w2c_func` (closed modules) or `struct w2c_funcref`;
 * externref: whatever the embedder means by it. Null is NULL. */
typedef const void *w2c_ref;

union w2c_value {
	u32 i32;
	u64 i64;
	f32 f32;
	f64 f64;
	w2c_ref ref;
};

/* exnref: a caught exception, by value. Null has no tag. */
struct w2c_exn {
	w2c_ref tag;
	u64 value; /* its bits */
};

/* ---- layout ---------------------------------------------------------- */

#define W2C_CTX_OFFSET 12288
#define W2C_CTX_SIZE 8192
#define W2C_PENDING_OFFSET 4096
#define W2C_PAGE 65536

/* Indices of head.ops, which gs mode calls. */
#define W2C_OP_SYSCALL 0   /* u32 (u32 nr, u64 a0, ... a5) */
#define W2C_OP_FORK 1      /* u32 (void) */
#define W2C_OP_VFORK 2     /* u32 (void) */
#define W2C_OP_SETJMP 3    /* u32 (u32 buf); returns twice */
#define W2C_OP_LONGJMP 4   /* void (u32 buf, u32 value); does not return */
#define W2C_OP_TRAP 5      /* void (u32 code); does not return */
#define W2C_OP_SAFEPOINT 6 /* void (void) */
#define W2C_OP_GROW 7      /* u32 (u32 pages); may be NULL: memory.grow fails */

/* The engine's part of every context. */
struct w2c_head {
	void *mem;         /* memory 0 */
	void *task;        /* the engine's own */
	void *host;        /* the engine's own */
	u32 stack_pointer; /* pinned globals */
	u32 tls_base;
	u32 pages; /* of 64 KiB: bounds of bulk operations, memory.size */
	u32 max_pages;
	void *ops[8];
	/* Depth of the engine's table of setjmp states. A function that calls
	 * setjmp restores it when it returns, so states of dead frames are
	 * never live. */
	u32 setjmp_depth;
	u32 spare32;
	u64 spare[2];
};

_Static_assert(offsetof(struct w2c_head, stack_pointer) == 24, "head");
_Static_assert(offsetof(struct w2c_head, pages) == 32, "head");
_Static_assert(offsetof(struct w2c_head, ops) == 40, "head");
_Static_assert(offsetof(struct w2c_head, setjmp_depth) == 104, "head");
_Static_assert(sizeof(struct w2c_head) == 128, "head");

/* Results beyond the first go through mv[1], mv[2], ... of the context. */
struct w2c_context {
	struct w2c_head head;
	union w2c_value mv[];
};

/* ---- descriptors ----------------------------------------------------- */

enum w2c_kind { W2C_FUNC, W2C_TABLE, W2C_MEMORY, W2C_GLOBAL, W2C_TAG };

/* Entry of a constant table. Type 0 is the null entry. */
struct w2c_func {
	void (*fn)(void);
	u32 type;
};

struct w2c_data {
	u32 offset, len;
	const u8 *bytes;
};

/*
 * `sig`: of a function "params:results", a letter each (i l f d, r funcref,
 * x externref, e exnref); of a tag its values' letters; of a global its letter, behind 'm' if mutable; of a table its
 * letter; of a memory "" or "s" (shared).
 */
struct w2c_export {
	const char *name;
	const char *sig;
	void (*fn)(void);
	enum w2c_kind kind;
};

struct w2c_import {
	const char *module, *name;
	const char *sig;
	enum w2c_kind kind;
	u32 min, max; /* of tables and memories; no maximum is UINT32_MAX */
};

struct w2c_extern;

#define W2C_HAS_MEMORY 1u
#define W2C_IMPORTS_MEMORY 2u
#define W2C_SHARED_MEMORY 4u

struct w2c_module {
	const char *name;
	u32 abi;      /* W2C_ABI */
	u32 mode;     /* W2C_MODE_* */
	u32 ctx_size; /* bytes of the context, the head included */
	u32 flags;    /* W2C_HAS_MEMORY ... */
	u32 mem_min, mem_max; /* pages; no maximum is 65536 */
	/* Writes the context's initial values, but not the head. Needs no %gs. */
	void (*init)(void *ctx);
	/* To be copied to memory by the engine, in order, with bounds checks. */
	const struct w2c_data *data;
	/* void (void) or void (instance); NULL: none. */
	void (*start)(void);
	const struct w2c_export *exports;
	const struct w2c_import *imports;
	u32 data_count, export_count, import_count;
	/* Base mode only, else NULL: links the imports (in their order), builds
	 * memory and tables; may trap. `resolve` says what an export is. */
	void (*instantiate)(void *in, const struct w2c_extern *imports);
	void (*resolve)(void *in, u32 index, struct w2c_extern *out);
};

/* ---- traps ------------------------------------------------------------ */

enum w2c_trap_code {
	W2C_TRAP_UNREACHABLE = 1,
	W2C_TRAP_MEMORY,         /* out of bounds memory access */
	W2C_TRAP_TABLE,          /* out of bounds table access */
	W2C_TRAP_UNDEFINED,      /* call beyond the table */
	W2C_TRAP_NULL_FUNC,      /* call of a null entry */
	W2C_TRAP_SIGNATURE,      /* call with another signature */
	W2C_TRAP_DIV_BY_ZERO,
	W2C_TRAP_INT_OVERFLOW,
	W2C_TRAP_BAD_CONVERSION, /* NaN to integer */
	W2C_TRAP_UNALIGNED,      /* atomic access */
	W2C_TRAP_NOT_SHARED,     /* wait on unshared memory */
	W2C_TRAP_STACK,
	W2C_TRAP_EXCEPTION, /* nobody has caught it */
	W2C_TRAP_NULL_EXN,  /* throw_ref of null */
	W2C_TRAP_WIDE_EXN,  /* by reference, and of several values */
};

#define W2C_LIKELY(x) __builtin_expect(!!(x), 1)
#define W2C_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define W2C_COLD __attribute__((cold, noinline))
#define W2C_UNUSED __attribute__((unused))
#define W2C_HIDDEN __attribute__((visibility("hidden")))

/* A file with generated code says so and gets the rest. */
#ifdef W2C_CODE
#include "w2c_code.h"
#endif

#endif
