/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_EXEC_H
#define _ASM_LKL_EXEC_H

#include <linux/types.h>

#define LKL_BUILD_ID_SIZE 32

/* What a program's `linux.image` section says. */
struct lkl_image {
	u32 data_start;
	u32 data_end;		/* page-aligned */
	u8 build_id[LKL_BUILD_ID_SIZE];
};

struct file;
struct mm_struct;

/* At boot: how large a process may be. */
extern void lkl_user_init(void);

/* Maps the program's data and its stack into a new, empty mm. */
extern int lkl_exec_mm(struct mm_struct *mm, const struct lkl_image *image,
		       struct file *file, unsigned long stack_limit);

#endif
