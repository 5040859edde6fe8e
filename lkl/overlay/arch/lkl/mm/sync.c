// SPDX-License-Identifier: GPL-2.0
/* msync: a shared mapping is the page cache, so only the file has to be written. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/syscalls.h>
#include "lkl_mm.h"

/* Does one mapping; where it ends, or an error. Without the lock while writing. */
static long lkl_sync_one(struct mm_struct *mm, unsigned long start, unsigned long end, int flags,
			 bool *hole)
{
	struct vm_area_struct *vma;
	struct file *file = NULL;
	loff_t from, to;
	int err;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = find_vma_intersection(mm, start, end);
	if (!vma || vma->vm_start > start) {
		*hole = true;
		start = vma ? vma->vm_start : end;
	}
	if (!vma) {
		mmap_read_unlock(mm);
		return end;
	}
	if (flags & MS_INVALIDATE && vma->vm_flags & VM_LOCKED) {
		mmap_read_unlock(mm);
		return -EBUSY;
	}
	end = min(end, vma->vm_end);
	from = (loff_t)lkl_pgoff(vma, start) << PAGE_SHIFT;
	to = from + (end - start) - 1;
	if (flags & MS_SYNC && vma->vm_file && vma->vm_flags & VM_SHARED)
		file = get_file(vma->vm_file);
	mmap_read_unlock(mm);
	if (!file)
		return end;
	err = vfs_fsync_range(file, from, to, 1);
	fput(file);
	return err ?: end;
}

SYSCALL_DEFINE3(msync, unsigned long, start, size_t, len, int, flags)
{
	unsigned long end = start + PAGE_ALIGN(len);
	bool hole = false;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || offset_in_page(start) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (end < start)
		return -ENOMEM;
	while (start < end) {
		long next = lkl_sync_one(current->mm, start, end, flags, &hole);

		if (IS_ERR_VALUE(next))
			return next;
		start = next;
	}
	/* All that is mapped was written nevertheless. */
	return hole ? -ENOMEM : 0;
}
