// SPDX-License-Identifier: GPL-2.0
/* Strings in user memory. The rest of uaccess is inline. */
#include <linux/uaccess.h>
#include <asm/lkl_host.h>

long strncpy_from_user(char *dst, const char __user *src, long count)
{
	if (count <= 0)
		return 0;
	return host_strncpy_from_user(dst, (unsigned long)src, count);
}

long strnlen_user(const char __user *src, long count)
{
	if (count <= 0)
		return 0;
	return host_strnlen_user((unsigned long)src, count);
}
