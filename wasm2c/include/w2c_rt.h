/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Base mode's linkable objects: memories, tables, references, and what an
 * import or export is at run time. Implemented by w2c_rt.c.
 */
#ifndef W2C_RT_H
#define W2C_RT_H

/* `data` never moves: the whole address space is reserved at once, with the
 * pending page in front of it (see w2c.h). */
struct w2c_memory {
	u8 *data;
	u32 pages, max_pages;
	u32 shared, limited; /* `limited`: a maximum was declared */
};

/* A function with its instance; what a funcref points to. */
struct w2c_funcref {
	void (*fn)(void);
	void *in;
	u32 type; /* w2c_type_id */
};

/* Of funcrefs or externrefs; type safety is the validator's. */
struct w2c_table {
	w2c_ref *elems;
	u32 size, max;
};

/* What exceptions are thrown with: the tag is its address. */
struct w2c_tag {
	u32 values;
};

struct w2c_extern {
	union {
		const struct w2c_funcref *func;
		struct w2c_table *table;
		struct w2c_memory *memory;
		union w2c_value *global;
		const struct w2c_tag *tag;
	};
};

/* All of these trap or abort when the host is out of memory. */
void w2c_memory_new(struct w2c_memory *memory, u32 pages, u32 max_pages, u32 shared);
void w2c_memory_free(struct w2c_memory *memory);
/* The old size, or UINT32_MAX when it cannot grow by that much. */
u32 w2c_memory_grow(struct w2c_memory *memory, u32 pages);

void w2c_table_new(struct w2c_table *table, u32 size, u32 max);
void w2c_table_free(struct w2c_table *table);
u32 w2c_table_grow(struct w2c_table *table, u32 n, w2c_ref value);
void w2c_table_fill(struct w2c_table *table, u32 at, w2c_ref value, u32 n);
void w2c_table_copy(struct w2c_table *to, struct w2c_table *from, u32 d, u32 s, u32 n);
void w2c_table_init(struct w2c_table *table, const w2c_ref *items, u32 len, u32 d, u32 s, u32 n);

/* Stands in front of the memory that a module does not have: its safepoints
 * see nothing pending. */
extern u8 w2c_no_memory[W2C_PENDING_OFFSET];

/* One small number per signature string, the same in all modules. */
u32 w2c_type_id(const char *sig);

/*
 * The exception on its way through the functions of this thread: an embedder
 * that called one finds here what none has caught, and must take it away. A
 * module without tags and handlers does not look: nothing that it calls may
 * throw.
 */
#define W2C_EXN_VALUES 32
extern _Thread_local struct w2c_pending {
	w2c_ref exn; /* the tag; NULL: none */
	union w2c_value exn_v[W2C_EXN_VALUES];
} w2c_pending;

static inline W2C_UNUSED void w2c_one_value(const struct w2c_tag *tag)
{
	if (W2C_UNLIKELY(tag->values > 1))
		w2c_trap(W2C_TRAP_WIDE_EXN);
}

#define W2C_GROW(n) w2c_memory_grow(in->memory, n)

static inline W2C_UNUSED w2c_ref w2c_table_get(const struct w2c_table *table, u32 i)
{
	if (W2C_UNLIKELY(i >= table->size))
		w2c_trap(W2C_TRAP_TABLE);
	return table->elems[i];
}

static inline W2C_UNUSED void w2c_table_set(struct w2c_table *table, u32 i, w2c_ref value)
{
	if (W2C_UNLIKELY(i >= table->size))
		w2c_trap(W2C_TRAP_TABLE);
	table->elems[i] = value;
}

static inline W2C_UNUSED const struct w2c_funcref *w2c_table_func(const struct w2c_table *table, u32 i, u32 type)
{
	const struct w2c_funcref *f;

	if (W2C_UNLIKELY(i >= table->size))
		w2c_trap(W2C_TRAP_UNDEFINED);
	f = table->elems[i];
	if (W2C_UNLIKELY(!f))
		w2c_trap(W2C_TRAP_NULL_FUNC);
	if (W2C_UNLIKELY(f->type != type))
		w2c_trap(W2C_TRAP_SIGNATURE);
	return f;
}

#endif
