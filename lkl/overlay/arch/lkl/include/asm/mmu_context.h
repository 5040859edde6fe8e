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
	int id = host_mm_new();

	mm->context.id = id > 0 ? id : 0;
	return id > 0 ? 0 : -ENOMEM;
}
#define init_new_context init_new_context

/* init_mm has no context, nor has an mm whose init_new_context() failed. */
static inline void destroy_context(struct mm_struct *mm)
{
	if (mm->context.id)
		host_mm_free(mm->context.id);
}
#define destroy_context destroy_context

#include <asm-generic/mmu_context.h>

#endif
