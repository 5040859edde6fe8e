// SPDX-License-Identifier: GPL-2.0
/* madvise and mincore. Advice about paging out is taken and means nothing. */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include "lkl_mm.h"

#define LKL_KEPT	(VM_LOCKED | LKL_VM_IMAGE)

/* What these pages held is gone: the next access finds zeros, or the file. */
static int lkl_discard(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	lkl_zap(vma, start, end);
	return lkl_give_pages(vma->vm_mm, start, end);
}

static int lkl_may_discard(const struct vm_area_struct *vma, int advice)
{
	vm_flags_t kept = advice == MADV_DONTNEED_LOCKED ? LKL_VM_IMAGE : LKL_KEPT;

	if (vma->vm_flags & kept)
		return -EINVAL;
	if (advice == MADV_FREE && (lkl_is_read(vma) || lkl_is_shared(vma)))
		return -EINVAL;
	return 0;
}

/* As it is allowed to be accessed, which is no error of the pages'. */
static int lkl_advise_populate(struct vm_area_struct *vma, unsigned long start,
			       unsigned long end, bool write)
{
	vm_flags_t needed = write ? VM_WRITE : VM_READ | VM_WRITE | VM_EXEC;

	if (!(vma->vm_flags & needed))
		return -EINVAL;
	return lkl_populate(vma->vm_mm, start, end, write);
}

/* Takes the pages out of the file too. Drops mmap_lock, which is not taken again. */
static int lkl_remove(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	while (start < end) {
		struct vm_area_struct *vma = vma_lookup(mm, start);
		struct file *file;
		unsigned long to;
		loff_t pos;
		int err = -EINVAL;

		if (!vma)
			err = -ENOMEM;
		else if (vma->vm_file && !(vma->vm_flags & VM_LOCKED))
			err = is_shared_maywrite(vma->vm_flags) ? 0 : -EACCES;
		if (err) {
			mmap_write_unlock(mm);
			return err;
		}
		to = min(end, vma->vm_end);
		pos = (loff_t)lkl_pgoff(vma, start) << PAGE_SHIFT;
		file = get_file(vma->vm_file);
		mmap_write_unlock(mm);
		err = vfs_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pos,
				    to - start);
		fput(file);
		if (err)
			return err;
		mmap_write_lock(mm);
		start = to;
	}
	mmap_write_unlock(mm);
	return 0;
}

/* A part of one mapping. */
static int lkl_advise_one(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			  int advice)
{
	struct mm_struct *mm = vma->vm_mm;

	switch (advice) {
	case MADV_DONTFORK:
		return lkl_change_flags(mm, start, end, VM_DONTCOPY, 0);
	case MADV_DOFORK:
		return lkl_change_flags(mm, start, end, 0, VM_DONTCOPY);
	case MADV_WIPEONFORK:
		if (vma->vm_file || lkl_is_shared(vma))
			return -EINVAL;
		return lkl_change_flags(mm, start, end, VM_WIPEONFORK, 0);
	case MADV_KEEPONFORK:
		return lkl_change_flags(mm, start, end, 0, VM_WIPEONFORK);
	/* What MADV_FREE gives back may go at any time: it goes now. */
	case MADV_FREE:
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
		return lkl_may_discard(vma, advice) ?: lkl_discard(vma, start, end);
	case MADV_COLD:
	case MADV_PAGEOUT:
		return vma->vm_flags & VM_LOCKED ? -EINVAL : 0;
	case MADV_POPULATE_READ:
		return lkl_advise_populate(vma, start, end, false);
	case MADV_POPULATE_WRITE:
		return lkl_advise_populate(vma, start, end, true);
	}
	return 0;
}

static bool lkl_is_advice(int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_REMOVE:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case MADV_FREE:
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return true;
	}
	return false;
}

/* What is mapped is advised, and a hole is an error at the end, or for some at once. */
static int lkl_advise(struct mm_struct *mm, unsigned long start, unsigned long end, int advice)
{
	bool strict = advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
	int hole = 0;

	while (start < end) {
		struct vm_area_struct *vma = find_vma_intersection(mm, start, end);
		unsigned long to;
		int err;

		if (!vma || vma->vm_start > start)
			hole = -ENOMEM;
		if (!vma || (hole && strict))
			break;
		start = max(start, vma->vm_start);
		to = min(end, vma->vm_end);
		err = lkl_advise_one(vma, start, to, advice);
		if (err)
			return err;
		start = to;
	}
	return hole;
}

SYSCALL_DEFINE3(madvise, unsigned long, start, size_t, len, int, advice)
{
	struct mm_struct *mm = current->mm;
	unsigned long end = start + PAGE_ALIGN(len);
	int err;

	if (!lkl_is_advice(advice) || offset_in_page(start) || end < start ||
	    (len && !PAGE_ALIGN(len)))
		return -EINVAL;
	if (start == end)
		return 0;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (advice == MADV_REMOVE)
		return lkl_remove(mm, start, end);
	err = lkl_advise(mm, start, end, advice);
	mmap_write_unlock(mm);
	return err;
}

/* Of files, whoever could write them: else others' reading would show (mm/mincore.c). */
static bool lkl_may_see(const struct vm_area_struct *vma)
{
	return !vma->vm_file || file_owner_or_capable(vma->vm_file) ||
	       !file_permission(vma->vm_file, MAY_WRITE);
}

static bool lkl_in_core(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio *folio;
	bool there;

	if (!lkl_is_shared(vma) && lkl_anon_touched(vma->vm_mm, addr))
		return true;
	if (!lkl_is_shared(vma) && !lkl_is_read(vma))
		return false;
	if (!lkl_may_see(vma))
		return true;
	folio = filemap_get_folio(vma->vm_file->f_mapping, lkl_pgoff(vma, addr));
	if (IS_ERR(folio))
		return false;
	/* What was only allocated is made when it is touched. */
	there = folio_test_uptodate(folio);
	folio_put(folio);
	return there;
}

SYSCALL_DEFINE3(mincore, unsigned long, start, size_t, len, unsigned char __user *, vec)
{
	struct mm_struct *mm = current->mm;
	unsigned long end = start + PAGE_ALIGN(len);

	if (offset_in_page(start))
		return -EINVAL;
	if (!access_ok((void __user *)start, len))
		return -ENOMEM;
	if (!access_ok(vec, (end - start) >> PAGE_SHIFT))
		return -EFAULT;
	for (; start < end; start += PAGE_SIZE) {
		struct vm_area_struct *vma;
		bool there = false;

		mmap_read_lock(mm);
		vma = vma_lookup(mm, start);
		if (vma)
			there = lkl_in_core(vma, start);
		mmap_read_unlock(mm);
		if (!vma)
			return -ENOMEM;
		/* Without the lock: the answer's page may have to be mapped. */
		if (put_user(there, vec++))
			return -EFAULT;
	}
	return 0;
}
