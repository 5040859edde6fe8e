// SPDX-License-Identifier: GPL-2.0
/* fork: a second address space with the same contents. */
#include <linux/file.h>
#include <linux/mm.h>
#include "lkl_mm.h"

static int lkl_dup_vma(struct mm_struct *mm, struct mm_struct *oldmm, struct vm_area_struct *vma)
{
	unsigned long start = vma->vm_start, len = vma->vm_end - start;
	u32 prot = lkl_host_prot(vma->vm_flags);
	int err;

	if (vma->vm_flags & VM_DONTCOPY)
		return 0;
	if (vma->vm_flags & VM_WIPEONFORK)
		err = host_mm_map(mm->context.id, start, len, prot);
	else
		err = host_mm_copy(oldmm->context.id, mm->context.id, start, len, prot);
	if (err)
		return -ENOMEM;
	return lkl_vma_add(mm, start, start + len, vma->vm_flags, vma->vm_file, vma->vm_pgoff);
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
	mm->total_vm = mm->data_vm = mm->stack_vm = mm->exec_vm = 0;
	for_each_vma(vmi, vma) {
		err = lkl_dup_vma(mm, oldmm, vma);
		if (err)
			break;
	}
	mmap_write_unlock(mm);
	mmap_write_unlock(oldmm);
	return err;
}
