// SPDX-License-Identifier: GPL-2.0
/* The list of mappings: add, split, remove, and what they count for. */
#include <linux/file.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include "lkl_mm.h"

/* As mm/mmap.c counts for RLIMIT_DATA. */
static bool lkl_is_data(vm_flags_t flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_STACK)) == VM_WRITE;
}

bool lkl_may_expand(struct mm_struct *mm, vm_flags_t flags, unsigned long pages)
{
	if (mm->total_vm + pages > rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return false;
	return !lkl_is_data(flags) ||
	       mm->data_vm + pages <= rlimit(RLIMIT_DATA) >> PAGE_SHIFT;
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
}

static int lkl_store(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		     struct mm_struct *mm)
{
	MA_STATE(mas, &mm->mm_mt, start, end - 1);

	return mas_store_gfp(&mas, vma, GFP_KERNEL_ACCOUNT);
}

static bool lkl_can_join(struct vm_area_struct *vma, vm_flags_t flags, struct file *file)
{
	return vma && !file && !vma->vm_file && vma->vm_flags == flags &&
	       !(flags & VM_STACK);
}

/* Nothing is mapped in the range. */
int lkl_vma_new(struct mm_struct *mm, unsigned long start, unsigned long end,
		vm_flags_t flags, struct file *file, pgoff_t pgoff)
{
	struct vm_area_struct *vma;
	int err;

	if (mm->map_count >= sysctl_max_map_count)
		return -ENOMEM;
	vma = vm_area_alloc(mm);
	if (!vma)
		return -ENOMEM;
	vma->vm_start = start;
	vma->vm_end = end;
	vma->vm_pgoff = file ? pgoff : start >> PAGE_SHIFT;
	vm_flags_init(vma, flags);
	err = lkl_store(vma, start, end, mm);
	if (err) {
		vm_area_free(vma);
		return err;
	}
	if (file)
		vma->vm_file = get_file(file);
	mm->map_count++;
	lkl_account(mm, flags, (end - start) >> PAGE_SHIFT);
	return 0;
}

/*
 * The same, but an anonymous mapping joins a neighbour: a heap that grows page
 * by page stays one line of /proc/PID/maps.
 */
int lkl_vma_add(struct mm_struct *mm, unsigned long start, unsigned long end,
		vm_flags_t flags, struct file *file, pgoff_t pgoff)
{
	struct vm_area_struct *prev = vma_lookup(mm, start - 1);
	struct vm_area_struct *next = vma_lookup(mm, end);
	int err;

	if (lkl_can_join(prev, flags, file))
		return lkl_vma_extend(prev, end);
	if (!lkl_can_join(next, flags, file))
		return lkl_vma_new(mm, start, end, flags, file, pgoff);
	err = lkl_store(next, start, next->vm_end, mm);
	if (err)
		return err;
	next->vm_start = start;
	next->vm_pgoff = start >> PAGE_SHIFT;
	lkl_account(mm, flags, (end - start) >> PAGE_SHIFT);
	return 0;
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
	upper = vm_area_dup(vma);
	if (!upper)
		return -ENOMEM;
	upper->vm_start = addr;
	upper->vm_pgoff += (addr - vma->vm_start) >> PAGE_SHIFT;
	err = lkl_store(upper, addr, vma->vm_end, mm);
	if (err) {
		vm_area_free(upper);
		return err;
	}
	if (upper->vm_file)
		get_file(upper->vm_file);
	vma->vm_end = addr;
	mm->map_count++;
	return 0;
}

int lkl_vma_remove(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	int err = lkl_store(NULL, vma->vm_start, vma->vm_end, mm);

	if (err)
		return err;
	lkl_account(mm, vma->vm_flags, -(long)vma_pages(vma));
	mm->map_count--;
	if (vma->vm_file)
		fput(vma->vm_file);
	vm_area_free(vma);
	return 0;
}

/* Nothing is mapped up to @end. */
int lkl_vma_extend(struct vm_area_struct *vma, unsigned long end)
{
	int err = lkl_store(vma, vma->vm_start, end, vma->vm_mm);

	if (err)
		return err;
	lkl_account(vma->vm_mm, vma->vm_flags, (end - vma->vm_end) >> PAGE_SHIFT);
	vma->vm_end = end;
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

/* The highest free range below the stack, so that the heap keeps its room. */
unsigned long lkl_find_gap(struct mm_struct *mm, unsigned long len)
{
	MA_STATE(mas, &mm->mm_mt, 0, 0);

	if (len > mm->mmap_base - LKL_USER_BASE ||
	    mas_empty_area_rev(&mas, LKL_USER_BASE, mm->mmap_base - 1, len))
		return -ENOMEM;
	return mas.last + 1 - len;
}
