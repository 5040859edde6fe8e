// SPDX-License-Identifier: GPL-2.0
/* Out of line, for pointers to them: each is one wasm instruction. */
#include <linux/types.h>
#include <linux/string.h>

#undef memcpy
#undef memmove
#undef memset

void *memcpy(void *to, const void *from, size_t n)
{
	return __builtin_memcpy(to, from, n);
}

void *memmove(void *to, const void *from, size_t n)
{
	return __builtin_memmove(to, from, n);
}

void *memset(void *to, int c, size_t n)
{
	return __builtin_memset(to, c, n);
}
