/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_UACCESS_H
#define _ASM_LKL_UACCESS_H

/*
 * User memory is a different linear memory; the host copies and answers with
 * the bytes it could not. Then the page may have to be mapped first, as for
 * the program itself: see mm/fault.c.
 */
#include <linux/string.h>
#include <asm/lkl_host.h>
#include <asm/page.h>
#include <asm/processor.h>

#define __access_ok(ptr, size)						\
({									\
	unsigned long __addr = (unsigned long)(ptr);			\
	unsigned long __size = (size);					\
									\
	__size <= TASK_SIZE && __addr <= TASK_SIZE - __size;		\
})

/* The rest of a copy of which the host left @left bytes; what is left then. */
extern unsigned long lkl_copy_from_user(void *to, unsigned long from, unsigned long n,
					unsigned long left);
extern unsigned long lkl_copy_to_user(unsigned long to, const void *from, unsigned long n,
				      unsigned long left);
extern unsigned long lkl_clear_user(unsigned long to, unsigned long n, unsigned long left);

static inline __must_check unsigned long
raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	unsigned long left = host_copy_from_user(to, (unsigned long)from, n);

	return likely(!left) ? 0 : lkl_copy_from_user(to, (unsigned long)from, n, left);
}

static inline __must_check unsigned long
raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	unsigned long left = host_copy_to_user((unsigned long)to, from, n);

	return likely(!left) ? 0 : lkl_copy_to_user((unsigned long)to, from, n, left);
}
#define INLINE_COPY_FROM_USER
#define INLINE_COPY_TO_USER

static inline __must_check unsigned long __clear_user(void __user *to, unsigned long n)
{
	unsigned long left = host_clear_user((unsigned long)to, n);

	return likely(!left) ? 0 : lkl_clear_user((unsigned long)to, n, left);
}
#define __clear_user __clear_user

#include <asm-generic/uaccess.h>

/* The kernel's own memory is all there or not at all. */
#define lkl_kernel_range_ok(p, size)					\
	((unsigned long)(p) >= LKL_GLOBAL_BASE &&			\
	 (unsigned long)(p) <= memory_end - (size))

#define __get_kernel_nofault(dst, src, type, err_label)			\
do {									\
	if (!lkl_kernel_range_ok(src, sizeof(type)))			\
		goto err_label;						\
	*((type *)(dst)) = *((type *)(src));				\
} while (0)

#define __put_kernel_nofault(dst, src, type, err_label)			\
do {									\
	if (!lkl_kernel_range_ok(dst, sizeof(type)))			\
		goto err_label;						\
	*((type *)(dst)) = *((type *)(src));				\
} while (0)

#endif
