// SPDX-License-Identifier: GPL-2.0
/*
 * mlock: pages are never paged out, so a locked mapping only has all its pages
 * at once and counts for RLIMIT_MEMLOCK.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/syscalls.h>
#include "lkl_mm.h"

bool can_do_mlock(void)
{
	return rlimit(RLIMIT_MEMLOCK) || capable(CAP_IPC_LOCK);
}
EXPORT_SYMBOL(can_do_mlock);

bool lkl_may_lock(struct mm_struct *mm, unsigned long pages)
{
	return mm->locked_vm + pages <= rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT ||
	       capable(CAP_IPC_LOCK);
}

/* Pages in a range that are locked already. */
static unsigned long lkl_locked(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	unsigned long pages = 0;
	VMA_ITERATOR(vmi, mm, start);

	for_each_vma_range(vmi, vma, end)
		if (vma->vm_flags & VM_LOCKED)
			pages += (min(end, vma->vm_end) - max(start, vma->vm_start)) >> PAGE_SHIFT;
	return pages;
}

static int lkl_lock(unsigned long start, size_t len, vm_flags_t flags)
{
	struct mm_struct *mm = current->mm;
	unsigned long end = PAGE_ALIGN(start + len);
	int err = 0;

	start &= PAGE_MASK;
	if (flags && !can_do_mlock())
		return -EPERM;
	if (end < start)
		return -EINVAL;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (!lkl_range_mapped(mm, start, end))
		err = -ENOMEM;
	else if (flags && !lkl_may_lock(mm, ((end - start) >> PAGE_SHIFT) -
					    lkl_locked(mm, start, end)))
		err = -ENOMEM;
	else if (start < end)
		err = lkl_change_flags(mm, start, end, flags, VM_LOCKED_MASK & ~flags);
	if (!err && flags == VM_LOCKED)
		err = lkl_populate(mm, start, end, false);
	mmap_write_unlock(mm);
	/* As mm/mlock.c: what cannot be had is no memory. */
	return err == -EFAULT ? -ENOMEM : err;
}

SYSCALL_DEFINE2(mlock, unsigned long, start, size_t, len)
{
	return lkl_lock(start, len, VM_LOCKED);
}

SYSCALL_DEFINE3(mlock2, unsigned long, start, size_t, len, int, flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lkl_lock(start, len, VM_LOCKED | (flags & MLOCK_ONFAULT ? VM_LOCKONFAULT : 0));
}

SYSCALL_DEFINE2(munlock, unsigned long, start, size_t, len)
{
	return lkl_lock(start, len, 0);
}

static int lkl_lock_all(struct mm_struct *mm, vm_flags_t flags)
{
	struct vm_area_struct *vma;
	unsigned long at = 0;

	while ((vma = find_vma_intersection(mm, at, TASK_SIZE))) {
		unsigned long start = vma->vm_start, end = vma->vm_end;
		int err = lkl_change_flags(mm, start, end, flags, VM_LOCKED_MASK & ~flags);

		if (err)
			return err;
		/* Not an error by rule: a mapping may be without access. */
		if (flags == VM_LOCKED)
			lkl_populate(mm, start, end, false);
		at = end;
	}
	return 0;
}

SYSCALL_DEFINE1(mlockall, int, flags)
{
	struct mm_struct *mm = current->mm;
	vm_flags_t lock = VM_LOCKED | (flags & MCL_ONFAULT ? VM_LOCKONFAULT : 0);
	int err = -ENOMEM;

	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!can_do_mlock())
		return -EPERM;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (!(flags & MCL_CURRENT) || mm->total_vm <= rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT ||
	    capable(CAP_IPC_LOCK)) {
		err = 0;
		mm->def_flags = flags & MCL_FUTURE ? lock : 0;
		if (flags & MCL_CURRENT)
			err = lkl_lock_all(mm, lock);
	}
	mmap_write_unlock(mm);
	return err;
}

SYSCALL_DEFINE0(munlockall)
{
	struct mm_struct *mm = current->mm;
	int err;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	mm->def_flags = 0;
	err = lkl_lock_all(mm, 0);
	mmap_write_unlock(mm);
	return err;
}

/* SysV shared memory may be locked by anybody: it costs nothing. */
int user_shm_lock(size_t size, struct ucounts *ucounts)
{
	return 1;
}

void user_shm_unlock(size_t size, struct ucounts *ucounts)
{
}
