/* What a processor traps at. */
#ifndef TRAPS_H
#define TRAPS_H

#include "test.h"

static void divide(void) { OPAQUE(OPAQUE(1) / OPAQUE(0)); }
static void modulo(void) { OPAQUE(OPAQUE(1LL) % OPAQUE(0LL)); }
static void quotient(void) { OPAQUE(OPAQUE((int)0x80000000) / OPAQUE(-1)); }
static void trap(void) { __builtin_trap(); }

#endif
