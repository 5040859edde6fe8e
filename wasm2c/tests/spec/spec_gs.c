/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Gs mode: a small engine. One memory per instance, no linking. */
#define _GNU_SOURCE
#include "spec_mode.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <asm/prctl.h>

#define RESERVED ((2ull << 32) + W2C_PAGE)
#define INSTANCES 4096

static u8 *memories[INSTANCES];
static unsigned memory_count;

static void enter(u8 *mem)
{
	syscall(SYS_arch_prctl, ARCH_SET_GS, mem);
}

static u32 grow(u32 pages)
{
	u8 *mem = *(u8 *__seg_gs *)(-(s64)W2C_CTX_OFFSET);
	struct w2c_head *head = (struct w2c_head *)(mem - W2C_CTX_OFFSET);
	u32 old = head->pages;

	if ((u64)old + pages > head->max_pages ||
	    mprotect(mem + (u64)old * W2C_PAGE, (u64)pages * W2C_PAGE, PROT_READ | PROT_WRITE))
		return UINT32_MAX;
	head->pages = old + pages;
	return old;
}

static void safepoint(void) {}

void spec_setup(void) {}

int spec_link(struct spec_instance *inst)
{
	const struct w2c_module *m = inst->module;
	u8 *base = mmap(NULL, W2C_CTX_OFFSET + RESERVED, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u8 *mem = base + W2C_CTX_OFFSET;
	struct w2c_head *head = (struct w2c_head *)base;
	int imported = m->flags & W2C_IMPORTS_MEMORY; /* spectest's: 1 to 2 pages */

	if (base == MAP_FAILED || memory_count == INSTANCES)
		return 0;
	mprotect(base, W2C_CTX_OFFSET, PROT_READ | PROT_WRITE);
	memories[memory_count++] = mem;
	head->mem = mem;
	head->max_pages = imported ? 2 : m->mem_max;
	head->ops[W2C_OP_TRAP] = (void *)spec_trap;
	head->ops[W2C_OP_SAFEPOINT] = (void *)safepoint;
	head->ops[W2C_OP_GROW] = (void *)grow;
	enter(mem);
	if (m->flags & W2C_HAS_MEMORY)
		grow(imported ? 1 : m->mem_min);
	m->init(base);
	for (u32 i = 0; i < m->data_count; i++) {
		const struct w2c_data *d = &m->data[i];

		if ((u64)d->offset + d->len > (u64)head->pages * W2C_PAGE)
			spec_trap(W2C_TRAP_MEMORY);
		memcpy(mem + d->offset, d->bytes, d->len);
	}
	inst->in = base;
	if (m->start)
		m->start();
	return 1;
}

/* The exported function itself has made it a trap. */
u32 spec_uncaught(void)
{
	return 0;
}

void spec_callee(struct spec_call *c, struct spec_instance *inst, u32 index)
{
	c->fn = inst->module->exports[index].fn;
	c->in = inst->in;
	c->mv = ((struct w2c_context *)c->in)->mv;
	enter((u8 *)c->in + W2C_CTX_OFFSET);
}

union w2c_value *spec_global(struct spec_instance *inst, u32 index)
{
	(void)inst, (void)index;
	return NULL;
}

int spec_is_memory(u64 addr)
{
	for (unsigned i = 0; i < memory_count; i++)
		if (addr - (u64)memories[i] < RESERVED)
			return 1;
	return 0;
}
