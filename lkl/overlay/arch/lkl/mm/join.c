// SPDX-License-Identifier: GPL-2.0
/*
 * Neighbours that are alike become one mapping, as /proc/PID/maps shows it with
 * an MMU: a heap that grows page by page stays one line, and protections that
 * are given back leave no trace.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include "lkl_mm.h"

static bool lkl_alike(struct vm_area_struct *low, struct vm_area_struct *high)
{
	if (!low || !high || low->vm_end != high->vm_start || low->vm_flags != high->vm_flags ||
	    low->vm_file != high->vm_file || low->vm_ops != high->vm_ops)
		return false;
	if (low->vm_ops && low->vm_ops->close)
		return false;
	return !low->vm_file || lkl_pgoff(low, low->vm_end) == high->vm_pgoff;
}

/* Joins what became alike in and around a range. That it fails does no harm. */
void lkl_vma_join(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = vma_lookup(mm, start - 1) ?: vma_lookup(mm, start);

	while (vma && vma->vm_start <= end) {
		struct vm_area_struct *next = vma_lookup(mm, vma->vm_end);

		if (!lkl_alike(vma, next))
			vma = next;
		else if (lkl_vma_absorb(vma, next))
			return;
	}
}

/* Anonymous memory where nothing is mapped. */
int lkl_vma_add(struct mm_struct *mm, unsigned long start, unsigned long end, vm_flags_t flags)
{
	struct vm_area_struct *prev = vma_lookup(mm, start - 1);

	if (prev && !prev->vm_file && prev->vm_flags == flags && !(flags & VM_STACK)) {
		int err = lkl_vma_resize(prev, prev->vm_start, end);

		if (!err)
			lkl_vma_join(mm, prev->vm_start, end);
		return err;
	}
	return lkl_vma_new(mm, start, end, flags, NULL, 0);
}

/* Sets and clears flags that say nothing of protection. */
int lkl_change_flags(struct mm_struct *mm, unsigned long start, unsigned long end,
		     vm_flags_t set, vm_flags_t clear)
{
	unsigned long at = start;
	int err = lkl_vma_split(mm, start);

	if (!err)
		err = lkl_vma_split(mm, end);
	while (!err && at < end) {
		struct vm_area_struct *vma = vma_lookup(mm, at);
		long pages = vma_pages(vma);

		lkl_account(mm, vma->vm_flags, -pages);
		vm_flags_mod(vma, set, clear);
		lkl_account(mm, vma->vm_flags, pages);
		at = vma->vm_end;
	}
	lkl_vma_join(mm, start, end);
	return err;
}
