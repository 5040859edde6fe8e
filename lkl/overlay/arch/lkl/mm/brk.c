// SPDX-License-Identifier: GPL-2.0
/* brk: the heap begins where the program's data ends. */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/syscalls.h>
#include "lkl_mm.h"

static int lkl_brk(struct mm_struct *mm, unsigned long brk)
{
	unsigned long old = PAGE_ALIGN(mm->brk), new = PAGE_ALIGN(brk);
	vm_flags_t flags = ((VM_DATA_DEFAULT_FLAGS | mm->def_flags) & ~VM_EXEC) | VM_ACCOUNT;
	int err;

	if (new < brk)
		return -ENOMEM;
	if (new <= old)
		return lkl_unmap(mm, new, old);
	if (check_data_rlimit(rlimit(RLIMIT_DATA), brk, mm->start_brk,
			      mm->end_data, mm->start_data))
		return -ENOMEM;
	if (flags & VM_LOCKED && !lkl_may_lock(mm, (new - old) >> PAGE_SHIFT))
		return -EAGAIN;
	/* A page is kept free between the heap and what follows it. */
	if (new > mm->mmap_base || find_vma_intersection(mm, old, new + PAGE_SIZE))
		return -ENOMEM;
	err = lkl_map_anon(mm, old, new, flags);
	if (!err) {
		err = lkl_give_pages(mm, old, new);
		if (err)
			lkl_unmap(mm, old, new);
	}
	if (!err && flags & VM_LOCKED)
		lkl_populate(mm, old, new, true);
	return err;
}

SYSCALL_DEFINE1(brk, unsigned long, brk)
{
	struct mm_struct *mm = current->mm;
	unsigned long ret;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (brk >= mm->start_brk && !lkl_brk(mm, brk))
		mm->brk = brk;
	ret = mm->brk;
	mmap_write_unlock(mm);
	return ret;
}
