// SPDX-License-Identifier: GPL-2.0
/*
 * User access that the host could not finish: the page is mapped and the rest
 * done again, until all is done or a page cannot be had. The host has done all
 * up to the page, or nothing of an access of at most eight bytes.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/lkl_host.h>
#include "lkl_mm.h"

#define LKL_WHOLE	8UL

/* Both pages, if a small access lies on two. */
static bool lkl_mend(unsigned long addr, unsigned long left, bool write)
{
	unsigned long last = addr + min(left, LKL_WHOLE) - 1;

	if (lkl_fault_in(addr, write))
		return false;
	return (addr ^ last) < PAGE_SIZE || left > LKL_WHOLE || !lkl_fault_in(last, write);
}

unsigned long lkl_copy_from_user(void *to, unsigned long from, unsigned long n,
				 unsigned long left)
{
	while (left && lkl_mend(from + n - left, left, false))
		left = host_copy_from_user(to + n - left, from + n - left, left);
	return left;
}
EXPORT_SYMBOL(lkl_copy_from_user);

unsigned long lkl_copy_to_user(unsigned long to, const void *from, unsigned long n,
			       unsigned long left)
{
	while (left && lkl_mend(to + n - left, left, true))
		left = host_copy_to_user(to + n - left, from + n - left, left);
	return left;
}
EXPORT_SYMBOL(lkl_copy_to_user);

unsigned long lkl_clear_user(unsigned long to, unsigned long n, unsigned long left)
{
	while (left && lkl_mend(to + n - left, left, true))
		left = host_clear_user(to + n - left, left);
	return left;
}
EXPORT_SYMBOL(lkl_clear_user);

/* At most the rest of the page, so that a fault is one of this page. */
static long lkl_piece(unsigned long addr, long count)
{
	return min((unsigned long)count, PAGE_SIZE - offset_in_page(addr));
}

long strncpy_from_user(char *dst, const char __user *src, long count)
{
	unsigned long from = (unsigned long)src;
	long done = 0, n;

	if (count <= 0)
		return 0;
	n = host_strncpy_from_user(dst, from, count);
	if (likely(n >= 0))
		return n;
	while (done < count) {
		long piece = lkl_piece(from + done, count - done);

		n = host_strncpy_from_user(dst + done, from + done, piece);
		if (n < 0) {
			if (lkl_fault_in(from + done, false))
				return -EFAULT;
			continue;
		}
		done += n;
		if (n < piece)
			break;
	}
	return done;
}

long strnlen_user(const char __user *src, long count)
{
	unsigned long from = (unsigned long)src;
	long done = 0, n;

	if (count <= 0)
		return 0;
	n = host_strnlen_user(from, count);
	if (likely(n))
		return n;
	while (done < count) {
		long piece = lkl_piece(from + done, count - done);

		n = host_strnlen_user(from + done, piece);
		if (!n) {
			if (lkl_fault_in(from + done, false))
				return 0;
			continue;
		}
		if (n <= piece)
			return done + n;
		done += piece;
	}
	return done + 1;
}
