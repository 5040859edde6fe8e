// SPDX-License-Identifier: GPL-2.0
/* An access to a page that is not mapped, or not for that: by the program or by us. */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include "lkl_mm.h"

static bool lkl_allowed(vm_flags_t flags, bool write)
{
	return flags & (write ? VM_WRITE : VM_READ | VM_WRITE | VM_EXEC);
}

/* mmap_lock is held. 0: the access may be made again. */
vm_fault_t lkl_fault(struct vm_area_struct *vma, unsigned long addr, bool write)
{
	addr &= PAGE_MASK;
	if (!lkl_allowed(vma->vm_flags, write))
		return VM_FAULT_SIGSEGV;
	count_vm_event(PGFAULT);
	current->min_flt++;
	if (lkl_is_shared(vma))
		return lkl_shared_fault(vma, addr, write);
	return lkl_anon_fault(vma, addr);
}

/* For the kernel itself, before it accesses the current process. May sleep. */
int lkl_fault_in(unsigned long addr, bool write)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	vm_fault_t ret = VM_FAULT_SIGSEGV;

	if (!mm || faulthandler_disabled() || fatal_signal_pending(current))
		return -EFAULT;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma)
		ret = lkl_fault(vma, addr, write);
	mmap_read_unlock(mm);
	return ret ? -EFAULT : 0;
}

/* As the other arches' page faults do it for futexes and for reads into pages. */
int fixup_user_fault(struct mm_struct *mm, unsigned long address, unsigned int fault_flags,
		     bool *unlocked)
{
	struct vm_area_struct *vma = vma_lookup(mm, address);
	vm_fault_t ret;

	if (!vma)
		return -EFAULT;
	ret = lkl_fault(vma, address, fault_flags & FAULT_FLAG_WRITE);
	return ret ? vm_fault_to_errno(ret, 0) ?: -EFAULT : 0;
}
EXPORT_SYMBOL_GPL(fixup_user_fault);

/* Maps what is not mapped yet, under mmap_lock. Stops at the first that cannot be. */
int lkl_populate(struct mm_struct *mm, unsigned long start, unsigned long end, bool write)
{
	while (start < end) {
		struct vm_area_struct *vma = vma_lookup(mm, start);
		vm_fault_t ret;

		if (!vma)
			return -ENOMEM;
		if (!lkl_is_shared(vma)) {
			unsigned long last = min(end, vma->vm_end);

			unsigned long gap = lkl_anon_find(mm, start, last, false);

			lkl_anon_ask(mm, start, gap);
			start = gap;
			if (start == last)
				continue;
		}
		ret = lkl_fault(vma, start, write);
		if (ret)
			return vm_fault_to_errno(ret, 0) ?: -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (lkl_is_shared(vma))
			start += PAGE_SIZE;
		cond_resched();
	}
	return 0;
}

/*
 * A host without faults: a range that was mapped, or may now be accessed, gets
 * all its pages. Those that no access is allowed to, and those behind the end
 * of a file, have none.
 */
int lkl_give_pages(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, start);

	if (lkl_can_fault())
		return 0;
	for_each_vma_range(vmi, vma, end) {
		unsigned long from = max(start, vma->vm_start), to = min(end, vma->vm_end);
		unsigned long gap;
		int err = 0;

		if (!lkl_allowed(vma->vm_flags, false))
			continue;
		if (vma->vm_file) {
			err = lkl_populate(mm, from, to, false);
		} else {
			/* The charge first asks others for memory, then fails. */
			while (!err && (gap = lkl_anon_find(mm, from, to, false)) < to) {
				from = lkl_anon_find(mm, gap, to, true);
				err = lkl_anon_map(mm, gap, from, lkl_host_prot(vma->vm_flags));
			}
		}
		if (err == -ENOMEM)
			return err;
	}
	return 0;
}

/* What a mapping showed is gone; a later access begins anew. */
void lkl_zap(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	if (lkl_is_shared(vma))
		lkl_shared_drop(vma->vm_mm, start, end);
	else
		lkl_anon_zap(vma->vm_mm, start, end);
}
