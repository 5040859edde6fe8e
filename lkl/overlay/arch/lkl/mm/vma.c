// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings: add, split, resize, remove, and what they count for. A mapping of a
 * file is in the file's i_mmap too, where rmap.c finds it by its pages.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include "lkl_mm.h"

/* As mm/mmap.c counts for RLIMIT_DATA. */
static bool lkl_is_data(vm_flags_t flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_STACK)) == VM_WRITE;
}

/* Limits of the process and of the machine; the latter only counts promises. */
int lkl_may_expand(struct mm_struct *mm, vm_flags_t flags, unsigned long pages)
{
	if (mm->total_vm + pages > rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return -ENOMEM;
	if (lkl_is_data(flags) && mm->data_vm + pages > rlimit(RLIMIT_DATA) >> PAGE_SHIFT)
		return -ENOMEM;
	if (flags & VM_ACCOUNT) {
		/* lkl_account() makes it last, when nothing can fail any more. */
		if (security_vm_enough_memory_mm(mm, pages))
			return -ENOMEM;
		vm_unacct_memory(pages);
	}
	return 0;
}

void lkl_account(struct mm_struct *mm, vm_flags_t flags, long pages)
{
	mm->total_vm += pages;
	if (lkl_is_data(flags))
		mm->data_vm += pages;
	else if (flags & VM_STACK)
		mm->stack_vm += pages;
	else if ((flags & (VM_EXEC | VM_WRITE)) == VM_EXEC)
		mm->exec_vm += pages;
	if (flags & VM_LOCKED)
		mm->locked_vm += pages;
	if (flags & VM_ACCOUNT)
		vm_acct_memory(pages);
}

static int lkl_store(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		     struct mm_struct *mm)
{
	MA_STATE(mas, &mm->mm_mt, start, end - 1);

	return mas_store_gfp(&mas, vma, GFP_KERNEL_ACCOUNT);
}

static bool lkl_follows_file(struct vm_area_struct *vma)
{
	return vma->vm_file && !(vma->vm_flags & LKL_VM_IMAGE);
}

/* Whether the file knows of it: not while its place in the file changes. */
static void lkl_tell_file(struct vm_area_struct *vma, bool mapped)
{
	struct address_space *mapping;

	if (!lkl_follows_file(vma))
		return;
	mapping = vma->vm_file->f_mapping;
	i_mmap_lock_write(mapping);
	if (mapped) {
		if (vma_is_shared_maywrite(vma))
			mapping_allow_writable(mapping);
		vma_interval_tree_insert(vma, &mapping->i_mmap);
	} else {
		if (vma_is_shared_maywrite(vma))
			mapping_unmap_writable(mapping);
		vma_interval_tree_remove(vma, &mapping->i_mmap);
	}
	i_mmap_unlock_write(mapping);
}

/* Nothing is mapped in the range of @vma, which has its references already. */
int lkl_vma_insert(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	int err;

	if (mm->map_count >= sysctl_max_map_count)
		return -ENOMEM;
	err = lkl_store(vma, vma->vm_start, vma->vm_end, mm);
	if (err)
		return err;
	lkl_tell_file(vma, true);
	mm->map_count++;
	lkl_account(mm, vma->vm_flags, vma_pages(vma));
	return 0;
}

/* A private mapping, perhaps of a file. */
int lkl_vma_new(struct mm_struct *mm, unsigned long start, unsigned long end,
		vm_flags_t flags, struct file *file, pgoff_t pgoff)
{
	struct vm_area_struct *vma = vm_area_alloc(mm);
	int err;

	if (!vma)
		return -ENOMEM;
	vma->vm_start = start;
	vma->vm_end = end;
	vma->vm_pgoff = file ? pgoff : start >> PAGE_SHIFT;
	vma->vm_file = file ? get_file(file) : NULL;
	vm_flags_init(vma, flags);
	err = lkl_vma_insert(vma);
	if (err)
		lkl_vma_free(vma);
	return err;
}

/* Another mapping of the same, from its beginning. */
int lkl_vma_copy(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start,
		 unsigned long len)
{
	struct vm_area_struct *copy = vm_area_dup(vma);
	int err;

	if (!copy)
		return -ENOMEM;
	copy->vm_mm = mm;
	copy->vm_start = start;
	copy->vm_end = start + len;
	if (!copy->vm_file)
		copy->vm_pgoff = start >> PAGE_SHIFT;
	if (copy->vm_file)
		get_file(copy->vm_file);
	if (copy->vm_ops && copy->vm_ops->open)
		copy->vm_ops->open(copy);
	err = lkl_vma_insert(copy);
	if (err)
		lkl_vma_free(copy);
	return err;
}

/* Makes @addr a border, if it lies inside a mapping. */
int lkl_vma_split(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = vma_lookup(mm, addr);
	struct vm_area_struct *upper;
	int err;

	if (!vma || vma->vm_start == addr)
		return 0;
	if (mm->map_count >= sysctl_max_map_count)
		return -ENOMEM;
	if (vma->vm_ops && vma->vm_ops->may_split) {
		err = vma->vm_ops->may_split(vma, addr);
		if (err)
			return err;
	}
	upper = vm_area_dup(vma);
	if (!upper)
		return -ENOMEM;
	upper->vm_start = addr;
	upper->vm_pgoff = lkl_pgoff(vma, addr);
	err = lkl_store(upper, addr, vma->vm_end, mm);
	if (err) {
		vm_area_free(upper);
		return err;
	}
	if (upper->vm_file)
		get_file(upper->vm_file);
	if (upper->vm_ops && upper->vm_ops->open)
		upper->vm_ops->open(upper);
	lkl_tell_file(vma, false);
	vma->vm_end = addr;
	lkl_tell_file(vma, true);
	lkl_tell_file(upper, true);
	mm->map_count++;
	return 0;
}

/* It is in no tree any more, or was never in one. */
void lkl_vma_free(struct vm_area_struct *vma)
{
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	if (vma->vm_file)
		fput(vma->vm_file);
	vm_area_free(vma);
}

/* Takes a mapping and its pages away. */
int lkl_vma_remove(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	int err = lkl_store(NULL, vma->vm_start, vma->vm_end, mm);

	if (err)
		return err;
	lkl_zap(vma, vma->vm_start, vma->vm_end);
	lkl_tell_file(vma, false);
	lkl_account(mm, vma->vm_flags, -(long)vma_pages(vma));
	mm->map_count--;
	lkl_vma_free(vma);
	return 0;
}

/* The address space ends: its pages are gone from the host, its tree follows. */
void lkl_vma_end(struct vm_area_struct *vma)
{
	if (lkl_is_shared(vma))
		lkl_shared_forget(vma->vm_mm, vma->vm_start, vma->vm_end);
	lkl_tell_file(vma, false);
	lkl_account(vma->vm_mm, vma->vm_flags, -(long)vma_pages(vma));
	lkl_vma_free(vma);
}

/* Grows; nothing else is mapped in the new range. */
int lkl_vma_resize(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	int err = lkl_store(vma, start, end, vma->vm_mm);

	if (err)
		return err;
	lkl_account(vma->vm_mm, vma->vm_flags, -(long)vma_pages(vma));
	lkl_tell_file(vma, false);
	vma->vm_pgoff -= (vma->vm_start - start) >> PAGE_SHIFT;
	vma->vm_start = start;
	vma->vm_end = end;
	lkl_tell_file(vma, true);
	lkl_account(vma->vm_mm, vma->vm_flags, vma_pages(vma));
	return 0;
}

/* @next, which is alike and follows, becomes part of @vma; its pages stay. */
int lkl_vma_absorb(struct vm_area_struct *vma, struct vm_area_struct *next)
{
	int err = lkl_store(vma, vma->vm_start, next->vm_end, vma->vm_mm);

	if (err)
		return err;
	lkl_tell_file(vma, false);
	lkl_tell_file(next, false);
	vma->vm_end = next->vm_end;
	lkl_tell_file(vma, true);
	vma->vm_mm->map_count--;
	lkl_vma_free(next);
	return 0;
}

bool lkl_range_mapped(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	while (start < end) {
		struct vm_area_struct *vma = vma_lookup(mm, start);

		if (!vma)
			return false;
		start = vma->vm_end;
	}
	return true;
}

/*
 * The highest free range below the stack, so that the heap keeps its room; or,
 * where a memory is as large as its highest page, the lowest.
 */
unsigned long lkl_find_gap(struct mm_struct *mm, unsigned long len)
{
	unsigned long low = lkl_mmap_low(mm), high = lkl_mmap_high(mm);
	MA_STATE(mas, &mm->mm_mt, 0, 0);

	if (len > high - low)
		return -ENOMEM;
	if (lkl_can_fault())
		return mas_empty_area_rev(&mas, low, high - 1, len) ? -ENOMEM
								     : mas.last + 1 - len;
	return mas_empty_area(&mas, low, high - 1, len) ? -ENOMEM : mas.index;
}
