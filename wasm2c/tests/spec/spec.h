/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Runs a .wast script that was turned into C: one function per directive.
 * Works on module descriptors, so it is the same for all scripts.
 */
#ifndef SPEC_H
#define SPEC_H

#include <setjmp.h>
#include "w2c.h"

struct spec_instance {
	const struct w2c_module *module;
	void *in; /* NULL: not instantiated */
};

/* One call or access under way. */
struct spec_call {
	int line;
	void (*fn)(void);
	void *in;
	union w2c_value *mv;     /* where further results are */
	union w2c_value *global; /* of a `get` */
	int wrong;
};

void spec_module(int line, struct spec_instance *inst, const struct w2c_module *module);
void spec_module_trap(int line, const struct w2c_module *module, u32 code);
void spec_unlinkable(int line, const struct w2c_module *module);
void spec_register(int line, const char *name, struct spec_instance *inst);

int spec_begin(struct spec_call *c, int line, struct spec_instance *inst, const char *name);
int spec_get(struct spec_call *c, int line, struct spec_instance *inst, const char *name);
/* `code` is what SPEC_TRY gave, `expected` a trap code or 0. */
#define SPEC_ANY_TRAP 0xffffffffu
void spec_end(struct spec_call *c, u32 code, u32 expected);

/* The trap code, or 0 after the body ran to its end. */
extern sigjmp_buf spec_env;
#define SPEC_TRY(code, body)                                                                       \
	do {                                                                                       \
		code = (u32)sigsetjmp(spec_env, 0);                                                \
		if (!code) {                                                                       \
			body                                                                       \
		}                                                                                  \
	} while (0)

/* W2C_TRAP_EXCEPTION if an exception came out of a call, which is forgotten. */
u32 spec_uncaught(void);

void spec_i32(struct spec_call *c, u32 got, u32 expected);
void spec_i64(struct spec_call *c, u64 got, u64 expected);
void spec_f32(struct spec_call *c, f32 got, u32 expected);
void spec_f64(struct spec_call *c, f64 got, u64 expected);
/* `arithmetic`: any payload. */
void spec_f32_nan(struct spec_call *c, f32 got, int arithmetic);
void spec_f64_nan(struct spec_call *c, f64 got, int arithmetic);
void spec_ref(struct spec_call *c, w2c_ref got, w2c_ref expected);
void spec_ref_any(struct spec_call *c, w2c_ref got);
/* (ref.extern n) */
#define SPEC_EXTERN(n) ((w2c_ref)(((uintptr_t)(n) + 1) << 4))

/* The script, generated. */
extern void (*const spec_steps[])(void);
extern const unsigned spec_count;

#endif
