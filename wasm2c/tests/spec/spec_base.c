/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Base mode: full linking, and the `spectest` host module. */
#define W2C_CODE
#include "spec_mode.h"

#include <stdlib.h>
#include <string.h>

#define INSTANCES 8192

static struct w2c_head *instances[INSTANCES];
static unsigned instance_count;

void w2c_trap(u32 code)
{
	spec_trap(code);
}

void w2c_safepoint(void *in)
{
	(void)in;
}

/* ---- spectest ---------------------------------------------------------------- */

static void print(void *in) { (void)in; }
static void print_i32(void *in, u32 a) { (void)in, (void)a; }
static void print_i64(void *in, u64 a) { (void)in, (void)a; }
static void print_f32(void *in, f32 a) { (void)in, (void)a; }
static void print_f64(void *in, f64 a) { (void)in, (void)a; }
static void print_i32_f32(void *in, u32 a, f32 b) { (void)in, (void)a, (void)b; }
static void print_f64_f64(void *in, f64 a, f64 b) { (void)in, (void)a, (void)b; }

static struct w2c_context host;
static struct w2c_memory memory, shared_memory;
static struct w2c_table table;
static union w2c_value global_i32, global_i64, global_f32, global_f64;
static struct w2c_funcref functions[7];

static struct spec_object {
	const char *name, *sig;
	enum w2c_kind kind;
	struct w2c_extern is;
} spectest[] = {
	{ "print", ":", W2C_FUNC, { .func = &functions[0] } },
	{ "print_i32", "i:", W2C_FUNC, { .func = &functions[1] } },
	{ "print_i64", "l:", W2C_FUNC, { .func = &functions[2] } },
	{ "print_f32", "f:", W2C_FUNC, { .func = &functions[3] } },
	{ "print_f64", "d:", W2C_FUNC, { .func = &functions[4] } },
	{ "print_i32_f32", "if:", W2C_FUNC, { .func = &functions[5] } },
	{ "print_f64_f64", "dd:", W2C_FUNC, { .func = &functions[6] } },
	{ "memory", "", W2C_MEMORY, { .memory = &memory } },
	{ "shared_memory", "s", W2C_MEMORY, { .memory = &shared_memory } },
	{ "table", "r", W2C_TABLE, { .table = &table } },
	{ "global_i32", "i", W2C_GLOBAL, { .global = &global_i32 } },
	{ "global_i64", "l", W2C_GLOBAL, { .global = &global_i64 } },
	{ "global_f32", "f", W2C_GLOBAL, { .global = &global_f32 } },
	{ "global_f64", "d", W2C_GLOBAL, { .global = &global_f64 } },
};

void spec_setup(void)
{
	static void (*const fns[])(void) = {
		(void (*)(void))print,	       (void (*)(void))print_i32,     (void (*)(void))print_i64,
		(void (*)(void))print_f32,     (void (*)(void))print_f64,     (void (*)(void))print_i32_f32,
		(void (*)(void))print_f64_f64,
	};

	for (unsigned i = 0; i < 7; i++)
		functions[i] = (struct w2c_funcref){ fns[i], &host, w2c_type_id(spectest[i].sig) };
	w2c_memory_new(&memory, 1, 2, 0);
	w2c_memory_new(&shared_memory, 1, 2, 1);
	w2c_table_new(&table, 10, 20);
	global_i32.i32 = 666;
	global_i64.i64 = 666;
	global_f32.f32 = 666.6f;
	global_f64.f64 = 666.6;
}

/* ---- linking -------------------------------------------------------------------- */

static int fits(const struct w2c_import *want, const char *sig, const struct w2c_extern *is)
{
	u32 size, max;

	if (strcmp(want->sig, sig))
		return 0;
	if (want->kind == W2C_TABLE) {
		size = is->table->size;
		max = is->table->max;
	} else if (want->kind == W2C_MEMORY) {
		size = is->memory->pages;
		max = is->memory->limited ? is->memory->max_pages : UINT32_MAX;
	} else {
		return 1;
	}
	return size >= want->min && (want->max == UINT32_MAX || max <= want->max);
}

static int find(const struct w2c_import *want, struct w2c_extern *is)
{
	struct spec_instance *from;
	int i;

	if (!strcmp(want->module, "spectest")) {
		for (unsigned n = 0; n < sizeof(spectest) / sizeof(spectest[0]); n++) {
			const struct spec_object *o = &spectest[n];

			if (o->kind == want->kind && !strcmp(o->name, want->name)) {
				*is = o->is;
				return fits(want, o->sig, is);
			}
		}
		return 0;
	}
	from = spec_registered(want->module);
	i = from && from->in ? spec_find(from->module, want->name, want->kind) : -1;
	if (i < 0)
		return 0;
	from->module->resolve(from->in, (u32)i, is);
	return fits(want, from->module->exports[i].sig, is);
}

int spec_link(struct spec_instance *inst)
{
	const struct w2c_module *m = inst->module;
	struct w2c_extern *imports = calloc(m->import_count + 1, sizeof(*imports));

	for (u32 i = 0; i < m->import_count; i++)
		if (!find(&m->imports[i], &imports[i]))
			return 0;
	inst->in = calloc(1, m->ctx_size);
	if (instance_count < INSTANCES)
		instances[instance_count++] = inst->in;
	m->instantiate(inst->in, imports);
	free(imports);
	if (m->start)
		((void (*)(void *))m->start)(inst->in);
	if (spec_uncaught())
		spec_trap(W2C_TRAP_EXCEPTION);
	return 1;
}

u32 spec_uncaught(void)
{
	u32 code = w2c_pending.exn ? W2C_TRAP_EXCEPTION : 0;

	w2c_pending.exn = NULL;
	return code;
}

void spec_callee(struct spec_call *c, struct spec_instance *inst, u32 index)
{
	struct w2c_extern is;

	inst->module->resolve(inst->in, index, &is);
	c->fn = is.func->fn;
	c->in = is.func->in;
	c->mv = ((struct w2c_context *)c->in)->mv;
}

union w2c_value *spec_global(struct spec_instance *inst, u32 index)
{
	struct w2c_extern is;

	inst->module->resolve(inst->in, index, &is);
	return is.global;
}

int spec_is_memory(u64 addr)
{
	for (unsigned i = 0; i < instance_count; i++)
		if (instances[i]->mem && addr - (u64)instances[i]->mem < (2ull << 32) + W2C_PAGE)
			return 1;
	return 0;
}
