// SPDX-License-Identifier: GPL-2.0
/* fork: a second address space with the same contents. */
#include <linux/mm.h>
#include "lkl_mm.h"

/* clang's leaf functions use this much below their stack pointer. */
#define LKL_RED_ZONE	128

/* The page cache is shown to the child when it touches it. */
static int lkl_dup_pages(struct mm_struct *mm, struct mm_struct *oldmm,
			 struct vm_area_struct *vma)
{
	u32 prot = lkl_host_prot(vma->vm_flags);
	unsigned long start = vma->vm_start, from, to;

	if (lkl_is_shared(vma))
		return 0;
	if (vma->vm_flags & VM_WIPEONFORK)
		return lkl_give_pages(mm, vma->vm_start, vma->vm_end);
	/* Below its stack pointer a stack is dead. */
	if (vma->vm_flags & VM_STACK && oldmm == current->mm) {
		unsigned long live = host_user_sp() - LKL_RED_ZONE;

		if (live >= start && live < vma->vm_end)
			start = live & PAGE_MASK;
	}
	lkl_for_each_run(oldmm, from, to, start, vma->vm_end) {
		int err = lkl_anon_copy(mm, oldmm, from, to, prot);

		if (err)
			return err;
	}
	return lkl_give_pages(mm, vma->vm_start, vma->vm_end);
}

static int lkl_dup_vma(struct mm_struct *mm, struct mm_struct *oldmm, struct vm_area_struct *vma)
{
	int err;

	if (vma->vm_flags & VM_DONTCOPY)
		return 0;
	if (vma->vm_flags & VM_ACCOUNT && lkl_may_expand(mm, vma->vm_flags, vma_pages(vma)))
		return -ENOMEM;
	err = lkl_vma_copy(mm, vma, vma->vm_start, vma->vm_end - vma->vm_start);
	if (err)
		return err;
	/* Locks are not inherited. */
	if (vma->vm_flags & VM_LOCKED)
		lkl_change_flags(mm, vma->vm_start, vma->vm_end, 0, VM_LOCKED_MASK);
	return lkl_dup_pages(mm, oldmm, vma);
}

/* On an error the caller drops @mm, and exit_mmap() what is there already. */
int lkl_mm_dup(struct mm_struct *mm, struct mm_struct *oldmm)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, oldmm, 0);
	int err = 0;

	if (mmap_write_lock_killable(oldmm))
		return -EINTR;
	/* Nobody else knows the new mm: no deadlock. */
	mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	/* dup_mm() copied the old counts; they are counted anew. */
	mm->total_vm = mm->data_vm = mm->stack_vm = mm->exec_vm = mm->locked_vm = 0;
	mm->def_flags &= ~VM_LOCKED_MASK;
	for_each_vma(vmi, vma) {
		err = lkl_dup_vma(mm, oldmm, vma);
		if (err)
			break;
	}
	mmap_write_unlock(mm);
	mmap_write_unlock(oldmm);
	return err;
}
