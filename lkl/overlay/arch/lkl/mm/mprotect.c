// SPDX-License-Identifier: GPL-2.0
/* mprotect. PROT_EXEC is noted and means nothing: code is not in memory. */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/syscalls.h>
#include "lkl_mm.h"

static int lkl_protect_vma(struct mm_struct *mm, struct vm_area_struct *vma, vm_flags_t prot)
{
	vm_flags_t flags = (vma->vm_flags & ~VM_ACCESS_FLAGS) | prot;
	int err;

	if (flags == vma->vm_flags)
		return 0;
	/* The VM_MAY flags are the VM_ flags four bits up. */
	if (prot & ~(flags >> 4) & VM_ACCESS_FLAGS)
		return -EACCES;
	err = host_mm_protect(mm->context.id, vma->vm_start, vma->vm_end - vma->vm_start,
			      lkl_host_prot(flags));
	if (err)
		return err;
	lkl_account(mm, vma->vm_flags, -(long)vma_pages(vma));
	vm_flags_init(vma, flags);
	lkl_account(mm, vma->vm_flags, vma_pages(vma));
	return 0;
}

static int lkl_protect(struct mm_struct *mm, unsigned long start, unsigned long end,
		       vm_flags_t prot)
{
	int err;

	if (!lkl_range_mapped(mm, start, end))
		return -ENOMEM;
	err = lkl_vma_split(mm, start);
	if (!err)
		err = lkl_vma_split(mm, end);
	while (!err && start < end) {
		struct vm_area_struct *vma = vma_lookup(mm, start);

		start = vma->vm_end;
		err = lkl_protect_vma(mm, vma, prot);
	}
	return err;
}

SYSCALL_DEFINE3(mprotect, unsigned long, start, size_t, len, unsigned long, prot)
{
	struct mm_struct *mm = current->mm;
	int err;

	if (offset_in_page(start) || !arch_validate_prot(prot, start))
		return -EINVAL;
	if (!len)
		return 0;
	len = PAGE_ALIGN(len);
	if (!len || start + len < start)
		return -ENOMEM;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	err = lkl_protect(mm, start, start + len, calc_vm_prot_bits(prot, 0));
	mmap_write_unlock(mm);
	return err;
}
