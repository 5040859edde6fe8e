/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_MMU_H
#define _ASM_LKL_MMU_H

#ifndef __ASSEMBLY__
struct lkl_pages;
struct mm_struct;

typedef struct {
	int id;				/* host handle of the process's linear memory */
	struct lkl_pages *pages;	/* what is mapped in it: mm/lkl_mm.h */
} mm_context_t;

/* Replacements for the parts of mm/nommu.c that would map kernel pages. */
extern int lkl_access_remote_vm(struct mm_struct *mm, unsigned long addr,
				void *buf, int len, int write);
/* fork: the new mm gets the old one's mappings and their contents. */
extern int lkl_mm_dup(struct mm_struct *mm, struct mm_struct *oldmm);

/* A memory of the host, with nothing mapped in it. */
extern int lkl_context_new(mm_context_t *context);
extern void lkl_context_free(mm_context_t *context);
#endif

#endif
