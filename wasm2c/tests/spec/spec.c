/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* See spec.h. What depends on the mode is in spec_base.c and spec_gs.c. */
#define _GNU_SOURCE
#include "spec_mode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

sigjmp_buf spec_env;

static unsigned passed, failed;
static struct {
	const char *name;
	struct spec_instance *inst;
} registered[256];
static unsigned registered_count;

static void result(int line, int ok, const char *what)
{
	if (ok) {
		passed++;
	} else {
		failed++;
		printf("FAIL %d: %s\n", line, what);
	}
}

__attribute__((noreturn)) void spec_trap(u32 code)
{
	siglongjmp(spec_env, (int)code);
}

/* A fault near the stack pointer is an exhausted stack, one in a memory's
 * reservation an access out of bounds; any other is a bug of ours. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	u64 addr = (u64)info->si_addr, sp = (u64)uc->uc_mcontext.gregs[REG_RSP];

	(void)sig;
	if (addr - (sp - (1 << 18)) < (1 << 19))
		siglongjmp(spec_env, W2C_TRAP_STACK);
	if (spec_is_memory(addr))
		siglongjmp(spec_env, W2C_TRAP_MEMORY);
	siglongjmp(spec_env, 99);
}

struct spec_instance *spec_registered(const char *name)
{
	for (unsigned i = registered_count; i-- > 0;)
		if (!strcmp(registered[i].name, name))
			return registered[i].inst;
	return NULL;
}

void spec_register(int line, const char *name, struct spec_instance *inst)
{
	(void)line;
	registered[registered_count].name = name;
	registered[registered_count++].inst = inst;
}

int spec_find(const struct w2c_module *m, const char *name, enum w2c_kind kind)
{
	for (u32 i = 0; i < m->export_count; i++)
		if (m->exports[i].kind == kind && !strcmp(m->exports[i].name, name))
			return (int)i;
	return -1;
}

void spec_module(int line, struct spec_instance *inst, const struct w2c_module *module)
{
	char what[128];
	u32 code;

	inst->module = module;
	SPEC_TRY(code, code = spec_link(inst) ? 0 : 98;);
	if (code) {
		snprintf(what, sizeof(what), "instantiation gave %u", code);
		inst->in = NULL;
		result(line, 0, what);
	}
}

void spec_module_trap(int line, const struct w2c_module *module, u32 code)
{
	struct spec_instance inst = { .module = module };
	char what[128];
	u32 got;

	SPEC_TRY(got, got = spec_link(&inst) ? 0 : 98;);
	snprintf(what, sizeof(what), "instantiation gave %u, not %u", got, code);
	result(line, got == code, what);
}

void spec_unlinkable(int line, const struct w2c_module *module)
{
	struct spec_instance inst = { .module = module };
	u32 got;

	SPEC_TRY(got, got = spec_link(&inst) ? 0 : 98;);
	result(line, got == 98, "linked");
}

int spec_begin(struct spec_call *c, int line, struct spec_instance *inst, const char *name)
{
	int i = inst->in ? spec_find(inst->module, name, W2C_FUNC) : -1;

	memset(c, 0, sizeof(*c));
	c->line = line;
	if (i < 0) {
		result(line, 0, inst->in ? "no such function" : "no instance");
		return 0;
	}
	spec_callee(c, inst, (u32)i);
	return 1;
}

int spec_get(struct spec_call *c, int line, struct spec_instance *inst, const char *name)
{
	int i = inst->in ? spec_find(inst->module, name, W2C_GLOBAL) : -1;

	memset(c, 0, sizeof(*c));
	c->line = line;
	if (i < 0 || !(c->global = spec_global(inst, (u32)i))) {
		result(line, 0, "no such global");
		return 0;
	}
	return 1;
}

void spec_end(struct spec_call *c, u32 code, u32 expected)
{
	char what[128];

	if (expected == SPEC_ANY_TRAP && code > 0 && code <= W2C_TRAP_WIDE_EXN)
		expected = code;
	snprintf(what, sizeof(what), "trap %u, not %u", code, expected);
	if (code != expected || !c->wrong)
		result(c->line, code == expected, what);
	else
		failed++;
}

static void expect(struct spec_call *c, int ok, u64 got, u64 expected)
{
	if (ok)
		return;
	printf("FAIL %d: got %#llx, not %#llx\n", c->line, (unsigned long long)got, (unsigned long long)expected);
	c->wrong = 1;
}

void spec_i32(struct spec_call *c, u32 got, u32 expected)
{
	expect(c, got == expected, got, expected);
}

void spec_i64(struct spec_call *c, u64 got, u64 expected)
{
	expect(c, got == expected, got, expected);
}

void spec_f32(struct spec_call *c, f32 got, u32 expected)
{
	u32 bits;

	memcpy(&bits, &got, sizeof(bits));
	expect(c, bits == expected, bits, expected);
}

void spec_f64(struct spec_call *c, f64 got, u64 expected)
{
	u64 bits;

	memcpy(&bits, &got, sizeof(bits));
	expect(c, bits == expected, bits, expected);
}

void spec_f32_nan(struct spec_call *c, f32 got, int arithmetic)
{
	u32 bits, mask = arithmetic ? 0x7fc00000 : 0x7fffffff;

	memcpy(&bits, &got, sizeof(bits));
	expect(c, (bits & mask) == 0x7fc00000, bits, 0x7fc00000);
}

void spec_f64_nan(struct spec_call *c, f64 got, int arithmetic)
{
	u64 bits, mask = arithmetic ? 0x7ff8000000000000 : 0x7fffffffffffffff;

	memcpy(&bits, &got, sizeof(bits));
	expect(c, (bits & mask) == 0x7ff8000000000000, bits, 0x7ff8000000000000);
}

void spec_ref(struct spec_call *c, w2c_ref got, w2c_ref expected)
{
	expect(c, got == expected, (u64)got, (u64)expected);
}

void spec_ref_any(struct spec_call *c, w2c_ref got)
{
	expect(c, got != NULL, 0, 1);
}

int main(void)
{
	static char altstack[1 << 16];
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof(altstack) };
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaltstack(&ss, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	spec_setup();
	for (unsigned i = 0; i < spec_count; i++)
		spec_steps[i]();
	printf("DONE %u %u\n", passed, failed);
	fflush(stdout);
	_exit(0);
}
