/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_MMU_H
#define _ASM_LKL_MMU_H

#ifndef __ASSEMBLY__
typedef struct {
	int id;		/* host handle of the process's linear memory */
} mm_context_t;

struct mm_struct;

/* Replacements for the parts of mm/nommu.c that would map kernel pages. */
extern int lkl_access_remote_vm(struct mm_struct *mm, unsigned long addr,
				void *buf, int len, int write);
/* fork: the new mm gets the old one's mappings and their contents. */
extern int lkl_mm_dup(struct mm_struct *mm, struct mm_struct *oldmm);
#endif

#endif
