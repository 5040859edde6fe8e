// SPDX-License-Identifier: GPL-2.0
/*
 * Calls about paging, of which there is none: every page is resident or zero,
 * and nothing is written back. They check their arguments all the same.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/user.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include "lkl_mm.h"

static int lkl_check_range(unsigned long start, size_t len)
{
	struct mm_struct *mm = current->mm;
	unsigned long end = start + PAGE_ALIGN(len);
	int err = 0;

	if (end < start)
		return -ENOMEM;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (!lkl_range_mapped(mm, start, end))
		err = -ENOMEM;
	mmap_read_unlock(mm);
	return err;
}

/*
 * Pages read as fresh ones: zero, or what the file says. If that fails they
 * are gone from the host, and the mapping with them.
 */
static int lkl_discard(struct mm_struct *mm, struct vm_area_struct *vma,
		       unsigned long start, unsigned long end)
{
	int err = lkl_fill(mm, start, end, vma->vm_flags, vma->vm_file,
			   vma->vm_pgoff + ((start - vma->vm_start) >> PAGE_SHIFT));

	if (err)
		lkl_unmap(mm, start, end);
	return err;
}

static int lkl_set_fork_flags(struct mm_struct *mm, unsigned long start, unsigned long end,
			      vm_flags_t set, vm_flags_t clear)
{
	int err = lkl_vma_split(mm, start);

	if (!err)
		err = lkl_vma_split(mm, end);
	while (!err && start < end) {
		struct vm_area_struct *vma = vma_lookup(mm, start);

		vm_flags_mod(vma, set, clear);
		start = vma->vm_end;
	}
	return err;
}

static int lkl_advise(struct mm_struct *mm, unsigned long start, unsigned long end, int advice)
{
	int err = 0;

	switch (advice) {
	case MADV_DONTFORK:
		return lkl_set_fork_flags(mm, start, end, VM_DONTCOPY, 0);
	case MADV_DOFORK:
		return lkl_set_fork_flags(mm, start, end, 0, VM_DONTCOPY);
	case MADV_WIPEONFORK:
		return lkl_set_fork_flags(mm, start, end, VM_WIPEONFORK, 0);
	case MADV_KEEPONFORK:
		return lkl_set_fork_flags(mm, start, end, 0, VM_WIPEONFORK);
	case MADV_DONTNEED:
		while (!err && start < end) {
			struct vm_area_struct *vma = vma_lookup(mm, start);
			unsigned long to = min(end, vma->vm_end);

			err = lkl_discard(mm, vma, start, to);
			start = to;
		}
		return err;
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_FREE:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
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
	err = lkl_range_mapped(mm, start, end) ? lkl_advise(mm, start, end, advice) : -ENOMEM;
	mmap_write_unlock(mm);
	return err;
}

SYSCALL_DEFINE3(msync, unsigned long, start, size_t, len, int, flags)
{
	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || offset_in_page(start) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	return lkl_check_range(start, len);
}

SYSCALL_DEFINE2(mlock, unsigned long, start, size_t, len)
{
	return lkl_check_range(start & PAGE_MASK, len + offset_in_page(start));
}

SYSCALL_DEFINE3(mlock2, unsigned long, start, size_t, len, int, flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lkl_check_range(start & PAGE_MASK, len + offset_in_page(start));
}

SYSCALL_DEFINE2(munlock, unsigned long, start, size_t, len)
{
	return lkl_check_range(start & PAGE_MASK, len + offset_in_page(start));
}

SYSCALL_DEFINE1(mlockall, int, flags)
{
	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	return 0;
}

SYSCALL_DEFINE0(munlockall)
{
	return 0;
}

/* SysV shared memory may be locked by anybody: it costs nothing. */
int user_shm_lock(size_t size, struct ucounts *ucounts)
{
	return 1;
}

void user_shm_unlock(size_t size, struct ucounts *ucounts)
{
}

SYSCALL_DEFINE3(mincore, unsigned long, start, size_t, len, unsigned char __user *, vec)
{
	unsigned long end = start + PAGE_ALIGN(len);
	int err;

	if (offset_in_page(start))
		return -EINVAL;
	err = lkl_check_range(start, len);
	for (; !err && start < end; start += PAGE_SIZE) {
		u32 held = host_mm_resident(current->mm->context.id, start, PAGE_SIZE);

		err = put_user(held ? 1 : 0, vec++);
	}
	return err;
}
