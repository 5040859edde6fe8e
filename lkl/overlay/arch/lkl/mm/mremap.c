// SPDX-License-Identifier: GPL-2.0
/* mremap: resize in place, or move pages without copying them. */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/syscalls.h>
#include "lkl_mm.h"

/* Maps what a mapping gains at its end. */
static int lkl_grow(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long end)
{
	unsigned long start = vma->vm_end;
	pgoff_t pgoff = vma->vm_pgoff + vma_pages(vma);
	int err;

	if (!lkl_may_expand(mm, vma->vm_flags, (end - start) >> PAGE_SHIFT))
		return -ENOMEM;
	err = lkl_fill(mm, start, end, vma->vm_flags, vma->vm_file, pgoff);
	if (err)
		return err;
	err = lkl_vma_extend(vma, end);
	if (err)
		host_mm_unmap(mm->context.id, start, end - start);
	return err;
}

/* Moves the whole of @vma to @to, where nothing is mapped. */
static int lkl_move(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long to)
{
	unsigned long from = vma->vm_start, len = vma->vm_end - from;
	/* Not joined: a neighbour may be @vma itself. */
	int err = lkl_vma_new(mm, to, to + len, vma->vm_flags, vma->vm_file, vma->vm_pgoff);

	if (err)
		return err;
	err = host_mm_move(mm->context.id, from, to, len, lkl_host_prot(vma->vm_flags));
	if (err) {
		lkl_unmap(mm, to, to + len);
		return err;
	}
	/* Small allocations do not fail here; @to is right in any case. */
	WARN_ON(lkl_vma_remove(vma));
	return 0;
}

static long lkl_move_and_grow(struct mm_struct *mm, unsigned long addr, unsigned long old_len,
			      unsigned long new_len, unsigned long to)
{
	unsigned long keep = min(old_len, new_len);
	int err;

	if (new_len > old_len &&
	    !lkl_may_expand(mm, vma_lookup(mm, addr)->vm_flags, (new_len - old_len) >> PAGE_SHIFT))
		return -ENOMEM;
	err = lkl_unmap(mm, to, to + new_len);
	if (!err)
		err = lkl_unmap(mm, addr + keep, addr + old_len);
	if (!err)
		err = lkl_vma_split(mm, addr);
	if (!err)
		err = lkl_vma_split(mm, addr + keep);
	if (!err)
		err = lkl_move(mm, vma_lookup(mm, addr), to);
	if (!err && new_len > keep)
		err = lkl_grow(mm, vma_lookup(mm, to), to + new_len);
	return err ?: to;
}

static long lkl_mremap(struct mm_struct *mm, unsigned long addr, unsigned long old_len,
		       unsigned long new_len, unsigned long flags, unsigned long to)
{
	struct vm_area_struct *vma = vma_lookup(mm, addr);
	long gap;

	if (!vma || old_len > vma->vm_end - addr)
		return -EFAULT;
	if (flags & MREMAP_FIXED) {
		if (offset_in_page(to) || to < LKL_USER_BASE ||
		    new_len > LKL_USER_END || to > LKL_USER_END - new_len ||
		    (addr < to + new_len && to < addr + old_len))
			return -EINVAL;
		return lkl_move_and_grow(mm, addr, old_len, new_len, to);
	}
	if (new_len <= old_len)
		return lkl_unmap(mm, addr + new_len, addr + old_len) ?: addr;
	if (addr + old_len == vma->vm_end && new_len <= LKL_USER_END - addr &&
	    !find_vma_intersection(mm, vma->vm_end, addr + new_len))
		return lkl_grow(mm, vma, addr + new_len) ?: addr;
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	gap = lkl_find_gap(mm, new_len);
	if (IS_ERR_VALUE(gap))
		return gap;
	return lkl_move_and_grow(mm, addr, old_len, new_len, gap);
}

SYSCALL_DEFINE5(mremap, unsigned long, addr, unsigned long, old_len, unsigned long, new_len,
		unsigned long, flags, unsigned long, new_addr)
{
	struct mm_struct *mm = current->mm;
	long ret;

	/* MREMAP_DONTUNMAP would need both mappings to fault separately. */
	if (flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE) || offset_in_page(addr))
		return -EINVAL;
	if (flags & MREMAP_FIXED && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	old_len = PAGE_ALIGN(old_len);
	new_len = PAGE_ALIGN(new_len);
	if (!old_len || !new_len)
		return -EINVAL;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = lkl_mremap(mm, addr, old_len, new_len, flags, new_addr);
	mmap_write_unlock(mm);
	return ret;
}
