// SPDX-License-Identifier: GPL-2.0
/* mprotect. PROT_EXEC is noted and means nothing: code is not in memory. */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/syscalls.h>
#include "lkl_mm.h"

static int lkl_protect_pages(struct vm_area_struct *vma, vm_flags_t flags)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned long from, to;
	int err;

	/* They come again with what they may do then. */
	if (lkl_is_shared(vma)) {
		lkl_shared_drop(mm, vma->vm_start, vma->vm_end);
		return 0;
	}
	lkl_for_each_run(mm, from, to, vma->vm_start, vma->vm_end) {
		err = host_mm_protect(mm->context.id, from, to - from, lkl_host_prot(flags));
		if (err)
			return err;
	}
	return 0;
}

/* A private mapping that becomes writable is a promise of memory. */
static int lkl_promise_more(struct vm_area_struct *vma, vm_flags_t *flags)
{
	unsigned long pages = vma_pages(vma);

	if (!(*flags & VM_WRITE) ||
	    vma->vm_flags & (VM_WRITE | VM_ACCOUNT | VM_MAYSHARE | VM_NORESERVE))
		return 0;
	/* The pages count already, but for what they are now. */
	lkl_account(vma->vm_mm, vma->vm_flags, -(long)pages);
	*flags |= VM_ACCOUNT;
	if (!lkl_may_expand(vma->vm_mm, *flags, pages)) {
		lkl_account(vma->vm_mm, vma->vm_flags, pages);
		return 0;
	}
	lkl_account(vma->vm_mm, vma->vm_flags, pages);
	return -ENOMEM;
}

static int lkl_protect_vma(struct mm_struct *mm, struct vm_area_struct *vma, vm_flags_t prot)
{
	vm_flags_t flags = (vma->vm_flags & ~VM_ACCESS_FLAGS) | prot;
	int err;

	if (flags == vma->vm_flags)
		return 0;
	/* The VM_MAY flags are the VM_ flags four bits up. */
	if (prot & ~(flags >> 4) & VM_ACCESS_FLAGS)
		return -EACCES;
	err = lkl_promise_more(vma, &flags);
	if (!err)
		err = lkl_protect_pages(vma, flags);
	if (err)
		return err;
	lkl_account(mm, vma->vm_flags, -(long)vma_pages(vma));
	vm_flags_reset(vma, flags);
	lkl_account(mm, vma->vm_flags, vma_pages(vma));
	return 0;
}

static int lkl_protect(struct mm_struct *mm, unsigned long start, unsigned long end,
		       vm_flags_t prot)
{
	unsigned long at = start;
	int err;

	if (!vma_lookup(mm, start))
		return -ENOMEM;
	err = lkl_vma_split(mm, start);
	if (!err)
		err = lkl_vma_split(mm, end);
	while (!err && at < end) {
		struct vm_area_struct *vma = vma_lookup(mm, at);

		/* What lies before a hole is changed. */
		if (!vma) {
			err = -ENOMEM;
			break;
		}
		at = vma->vm_end;
		err = lkl_protect_vma(mm, vma, prot);
	}
	lkl_vma_join(mm, start, end);
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
	if (!err)
		err = lkl_give_pages(mm, start, start + len);
	mmap_write_unlock(mm);
	return err;
}
