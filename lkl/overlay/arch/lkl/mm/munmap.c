// SPDX-License-Identifier: GPL-2.0
/* munmap, and the end of an address space. */
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/sched/coredump.h>
#include <linux/syscalls.h>
#include "lkl_mm.h"

/* Removes every mapping in the range, or -ENOMEM with some of them left. */
int lkl_unmap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = find_vma_intersection(mm, start, end);
	int err;

	if (!vma)
		return 0;
	err = lkl_vma_split(mm, start);
	if (!err)
		err = lkl_vma_split(mm, end);
	while (!err && (vma = find_vma_intersection(mm, start, end)))
		err = lkl_vma_remove(vma);
	return err;
}

int do_munmap(struct mm_struct *mm, unsigned long start, size_t len, struct list_head *uf)
{
	if (offset_in_page(start) || len > TASK_SIZE || start > TASK_SIZE - len)
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (!len)
		return -EINVAL;
	return lkl_unmap(mm, start, start + len);
}

/* For shmdt(), which walks the mappings with @vmi. */
int do_vmi_align_munmap(struct vma_iterator *vmi, struct vm_area_struct *vma,
			struct mm_struct *mm, unsigned long start, unsigned long end,
			struct list_head *uf, bool unlock)
{
	int err = lkl_unmap(mm, start, end);

	vma_iter_set(vmi, end);
	return err;
}

int vm_munmap(unsigned long addr, size_t len)
{
	struct mm_struct *mm = current->mm;
	int err;

	mmap_write_lock(mm);
	err = do_munmap(mm, addr, len, NULL);
	mmap_write_unlock(mm);
	return err;
}

SYSCALL_DEFINE2(munmap, unsigned long, addr, size_t, len)
{
	return vm_munmap(addr, len);
}

/*
 * The last user is gone. The handle lives until the last lazy reference (an
 * idle CPU's active_mm) is dropped; the memory must not wait for that.
 */
void exit_mmap(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);

	mmap_write_lock(mm);
	/* One host operation for all; nothing is left for the others. */
	host_mm_unmap(mm->context.id, LKL_USER_BASE, TASK_SIZE - LKL_USER_BASE);
	for_each_vma(vmi, vma)
		lkl_vma_end(vma);
	__mt_destroy(&mm->mm_mt);
	mm->map_count = 0;
	lkl_anon_end(mm);
	mmap_write_unlock(mm);
	/* The OOM killer need not wait for this one any more. */
	set_bit(MMF_OOM_SKIP, &mm->flags);
}
