/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_MMU_CONTEXT_H
#define _ASM_LKL_MMU_CONTEXT_H

#include <linux/errno.h>
#include <linux/mm_types.h>
#include <asm/lkl_host.h>
#include <asm-generic/mm_hooks.h>

static inline void switch_mm(struct mm_struct *prev, struct mm_struct *next,
			     struct task_struct *tsk)
{
	if (prev != next)
		host_mm_activate(next->context.id);
}

/* From mm_init(): exec, and clone without CLONE_VM. */
static inline int init_new_context(struct task_struct *tsk, struct mm_struct *mm)
{
	return lkl_context_new(&mm->context);
}
#define init_new_context init_new_context

static inline void destroy_context(struct mm_struct *mm)
{
	lkl_context_free(&mm->context);
}
#define destroy_context destroy_context

#include <asm-generic/mmu_context.h>

#endif
