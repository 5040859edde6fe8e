/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_STRING_H
#define _ASM_LKL_STRING_H

#include <linux/types.h>

#define __HAVE_ARCH_MEMCPY
#define __HAVE_ARCH_MEMMOVE
#define __HAVE_ARCH_MEMSET
extern void *memcpy(void *to, const void *from, size_t n);
extern void *memmove(void *to, const void *from, size_t n);
extern void *memset(void *to, int c, size_t n);

/*
 * -ffreestanding hides from the compiler what these are. Said again, small
 * constant sizes become loads and stores and the rest memory.copy/fill.
 */
#define memcpy(to, from, n)	__builtin_memcpy(to, from, n)
#define memmove(to, from, n)	__builtin_memmove(to, from, n)
#define memset(to, c, n)	__builtin_memset(to, c, n)

#endif
