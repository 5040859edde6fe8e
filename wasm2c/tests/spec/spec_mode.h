/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What spec_base.c and spec_gs.c give to spec.c, and the way back. */
#ifndef SPEC_MODE_H
#define SPEC_MODE_H

#include "spec.h"

void spec_setup(void);
/* Instantiates; 0 when an import is missing or of another type. May trap. */
int spec_link(struct spec_instance *inst);
void spec_callee(struct spec_call *c, struct spec_instance *inst, u32 index);
union w2c_value *spec_global(struct spec_instance *inst, u32 index);
int spec_is_memory(u64 addr);

__attribute__((noreturn)) void spec_trap(u32 code);
struct spec_instance *spec_registered(const char *name);
int spec_find(const struct w2c_module *m, const char *name, enum w2c_kind kind);

#endif
