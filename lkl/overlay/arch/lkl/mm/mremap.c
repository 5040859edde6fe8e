// SPDX-License-Identifier: GPL-2.0
/* mremap: resize in place, or move pages without copying them. */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/syscalls.h>
#include "lkl_mm.h"

/* Pages that a mapping gains or keeps twice must be allowed. */
static int lkl_may_grow(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long len)
{
	if (vma->vm_flags & VM_DONTEXPAND)
		return -EFAULT;
	if (vma->vm_flags & VM_LOCKED && !lkl_may_lock(mm, len >> PAGE_SHIFT))
		return -EAGAIN;
	return lkl_may_expand(mm, vma->vm_flags, len >> PAGE_SHIFT);
}

static int lkl_grow(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long end)
{
	unsigned long start = vma->vm_end;
	int err = lkl_may_grow(mm, vma, end - start);
	bool locked = vma->vm_flags & VM_LOCKED, write = vma->vm_flags & VM_WRITE;

	if (!err)
		err = lkl_vma_resize(vma, vma->vm_start, end);
	if (err)
		return err;
	err = lkl_give_pages(mm, start, end);
	if (err) {
		lkl_unmap(mm, start, end);
		return err;
	}
	lkl_vma_join(mm, start, end);
	if (locked)
		lkl_populate(mm, start, end, write);
	return 0;
}

/* Moves the pages of [from, from + len) of one mapping to @to, where nothing is. */
static int lkl_move(struct mm_struct *mm, unsigned long from, unsigned long len,
		    unsigned long to, bool keep)
{
	struct vm_area_struct *vma = vma_lookup(mm, from);
	int err = lkl_vma_copy(mm, vma, to, len);

	if (err)
		return err;
	/* What shows the page cache is shown again where it is touched. */
	if (lkl_is_shared(vma))
		lkl_shared_drop(mm, from, from + len);
	else
		err = lkl_anon_move(mm, from, to, len, lkl_host_prot(vma->vm_flags));
	if (err) {
		/* Back with what had gone; a host that moved it once can again. */
		lkl_anon_move(mm, to, from, len, lkl_host_prot(vma->vm_flags));
		lkl_unmap(mm, to, to + len);
		return err;
	}
	if (!keep) {
		/* Small allocations do not fail here; @to is right in any case. */
		WARN_ON(lkl_vma_remove(vma));
	}
	return 0;
}

static long lkl_move_and_grow(struct mm_struct *mm, unsigned long addr, unsigned long old_len,
			      unsigned long new_len, unsigned long flags, unsigned long to)
{
	struct vm_area_struct *vma = vma_lookup(mm, addr);
	unsigned long keep = min(old_len, new_len);
	bool twice = flags & MREMAP_DONTUNMAP;
	int err = 0;

	if (twice)
		err = lkl_may_grow(mm, vma, old_len);
	else if (new_len > old_len)
		err = lkl_may_grow(mm, vma, new_len - old_len);
	if (!err)
		err = lkl_unmap(mm, to, to + new_len);
	if (!err)
		err = lkl_unmap(mm, addr + keep, addr + old_len);
	if (!err)
		err = lkl_vma_split(mm, addr);
	if (!err)
		err = lkl_vma_split(mm, addr + keep);
	if (!err)
		err = lkl_move(mm, addr, keep, to, twice);
	if (!err && new_len > keep)
		err = lkl_grow(mm, vma_lookup(mm, to), to + new_len);
	if (!err)
		lkl_vma_join(mm, to, to + new_len);
	if (!err && twice)
		lkl_vma_join(mm, addr, addr + old_len);
	return err ?: to;
}

/* A length of 0: another mapping of the same shared object. */
static long lkl_double(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr,
		       unsigned long len, unsigned long to)
{
	int err;

	if (!lkl_is_shared(vma))
		return -EINVAL;
	if (len > vma->vm_end - addr)
		return -EFAULT;
	err = lkl_may_grow(mm, vma, len);
	if (!err)
		err = lkl_unmap(mm, to, to + len);
	/* It may have been in there itself. */
	vma = vma_lookup(mm, addr);
	if (!err && !vma)
		return -EFAULT;
	if (!err)
		err = lkl_vma_split(mm, addr);
	if (!err)
		err = lkl_vma_copy(mm, vma_lookup(mm, addr), to, len);
	return err ?: to;
}

static long lkl_target(struct mm_struct *mm, unsigned long addr, unsigned long old_len,
		       unsigned long new_len, unsigned long flags, unsigned long to)
{
	if (!(flags & MREMAP_FIXED))
		return lkl_find_gap(mm, new_len);
	if (offset_in_page(to) || new_len > TASK_SIZE || to > TASK_SIZE - new_len ||
	    (addr < to + new_len && to < addr + old_len))
		return -EINVAL;
	return to < LKL_USER_BASE ? -EPERM : to;
}

static long lkl_mremap(struct mm_struct *mm, unsigned long addr, unsigned long old_len,
		       unsigned long new_len, unsigned long flags, unsigned long to)
{
	struct vm_area_struct *vma = vma_lookup(mm, addr);
	bool move = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) || !old_len;
	long target;

	if (!vma)
		return -EFAULT;
	/* What follows need not be one mapping, if it only goes. */
	if (!move && new_len <= old_len)
		return lkl_unmap(mm, addr + new_len, addr + old_len) ?: addr;
	if (old_len > vma->vm_end - addr)
		return -EFAULT;
	if (!move && addr + old_len == vma->vm_end && new_len <= TASK_SIZE - addr &&
	    !find_vma_intersection(mm, vma->vm_end, addr + new_len))
		return lkl_grow(mm, vma, addr + new_len) ?: addr;
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	target = lkl_target(mm, addr, old_len, new_len, flags, to);
	if (IS_ERR_VALUE(target))
		return target;
	if (!old_len)
		return lkl_double(mm, vma, addr, new_len, target);
	return lkl_move_and_grow(mm, addr, old_len, new_len, flags, target);
}

SYSCALL_DEFINE5(mremap, unsigned long, addr, unsigned long, old_len, unsigned long, new_len,
		unsigned long, flags, unsigned long, new_addr)
{
	struct mm_struct *mm = current->mm;
	long ret;

	if (flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP) || offset_in_page(addr))
		return -EINVAL;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	old_len = PAGE_ALIGN(old_len);
	new_len = PAGE_ALIGN(new_len);
	if (!new_len || (flags & MREMAP_DONTUNMAP && old_len != new_len))
		return -EINVAL;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = lkl_mremap(mm, addr, old_len, new_len, flags, new_addr);
	mmap_write_unlock(mm);
	return ret;
}
