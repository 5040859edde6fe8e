// SPDX-License-Identifier: GPL-2.0
/*
 * The address space of a new program:
 *
 *  64 KiB      data_end                    mmap_base          USER_END
 *  | data, bss | heap -->      <-- mappings | guard | stack    |
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <asm/lkl_exec.h>
#include "lkl_mm.h"

/* A stack is one mapping that does not grow: its limit at exec is its size. */
#define LKL_STACK_MIN	(64UL << 10)
#define LKL_STACK_MAX	(64UL << 20)

/* Pages that the image fills: mapped from the file in name only. */
static int lkl_map_data(struct mm_struct *mm, const struct lkl_image *image, struct file *file)
{
	unsigned long start = image->data_start & PAGE_MASK, end = image->data_end;
	vm_flags_t flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE;
	int err;

	if (start == end)
		return 0;
	if (!lkl_may_expand(mm, flags, (end - start) >> PAGE_SHIFT))
		return -ENOMEM;
	err = host_mm_map(mm->context.id, start, end - start, lkl_host_prot(flags));
	if (err)
		return err;
	return lkl_vma_new(mm, start, end, flags, file, 0);
}

static int lkl_map_stack(struct mm_struct *mm, unsigned long size)
{
	unsigned long bottom = STACK_TOP - size;

	mm->mmap_base = bottom - LKL_STACK_GUARD;
	return lkl_map_fresh(mm, bottom, STACK_TOP, VM_STACK_FLAGS & ~VM_EXEC, NULL, 0);
}

int lkl_exec_mm(struct mm_struct *mm, const struct lkl_image *image, struct file *file,
		unsigned long stack_limit)
{
	unsigned long stack = clamp(stack_limit, LKL_STACK_MIN, LKL_STACK_MAX) & PAGE_MASK;
	int err;

	if (image->data_end > STACK_TOP - stack - LKL_STACK_GUARD)
		return -ENOMEM;
	mmap_write_lock(mm);
	err = lkl_map_data(mm, image, file);
	if (!err)
		err = lkl_map_stack(mm, stack);
	if (!err) {
		mm->start_code = mm->end_code = 0;
		mm->start_data = image->data_start;
		mm->end_data = mm->start_brk = mm->brk = image->data_end;
		mm->start_stack = STACK_TOP;
	}
	mmap_write_unlock(mm);
	return err;
}
