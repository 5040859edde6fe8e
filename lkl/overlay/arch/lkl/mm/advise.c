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

/* What these pages held is gone: the next access finds zeros, or the file. */
static int lkl_discard(struct mm_struct *mm, unsigned long start, unsigned long end, bool lazily)
{
	while (start < end) {
		struct vm_area_struct *vma = vma_lookup(mm, start);
		unsigned long to = min(end, vma->vm_end);
		int err;

		if (vma->vm_flags & (VM_LOCKED | LKL_VM_IMAGE))
			return -EINVAL;
		if (lazily && (lkl_is_read(vma) || lkl_is_shared(vma)))
			return -EINVAL;
		lkl_zap(vma, start, to);
		err = lkl_give_pages(mm, start, to);
		if (err)
			return err;
		start = to;
	}
	return 0;
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

static int lkl_advise(struct mm_struct *mm, unsigned long start, unsigned long end, int advice)
{
	switch (advice) {
	case MADV_DONTFORK:
		return lkl_change_flags(mm, start, end, VM_DONTCOPY, 0);
	case MADV_DOFORK:
		return lkl_change_flags(mm, start, end, 0, VM_DONTCOPY);
	case MADV_WIPEONFORK:
		return lkl_change_flags(mm, start, end, VM_WIPEONFORK, 0);
	case MADV_KEEPONFORK:
		return lkl_change_flags(mm, start, end, 0, VM_WIPEONFORK);
	case MADV_DONTNEED:
		return lkl_discard(mm, start, end, false);
	/* The contents may go at any time: they go now. */
	case MADV_FREE:
		return lkl_discard(mm, start, end, true);
	case MADV_POPULATE_READ:
		return lkl_populate(mm, start, end, false);
	case MADV_POPULATE_WRITE:
		return lkl_populate(mm, start, end, true);
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
	case MADV_COLD:
	case MADV_PAGEOUT:
		return 0;
	}
	return -EINVAL;
}

SYSCALL_DEFINE3(madvise, unsigned long, start, size_t, len, int, advice)
{
	struct mm_struct *mm = current->mm;
	unsigned long end = start + PAGE_ALIGN(len);
	int err;

	if (offset_in_page(start) || end < start || (len && !PAGE_ALIGN(len)))
		return -EINVAL;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (advice == MADV_REMOVE)
		return lkl_remove(mm, start, end);
	err = lkl_range_mapped(mm, start, end) ? lkl_advise(mm, start, end, advice) : -ENOMEM;
	mmap_write_unlock(mm);
	return err;
}

static bool lkl_in_core(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio *folio;

	if (!lkl_is_shared(vma))
		return lkl_anon_find(vma->vm_mm, addr, addr + PAGE_SIZE, true) == addr;
	folio = filemap_get_folio(vma->vm_file->f_mapping, lkl_pgoff(vma, addr));
	if (IS_ERR(folio))
		return false;
	folio_put(folio);
	return true;
}

SYSCALL_DEFINE3(mincore, unsigned long, start, size_t, len, unsigned char __user *, vec)
{
	struct mm_struct *mm = current->mm;
	unsigned long end = start + PAGE_ALIGN(len);

	if (offset_in_page(start))
		return -EINVAL;
	if (end < start)
		return -ENOMEM;
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
