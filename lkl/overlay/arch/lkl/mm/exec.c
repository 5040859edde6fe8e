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
/* The least must hold the arguments that any limit allows (fs/exec.c). */
#define LKL_STACK_MIN	(256UL << 10)
#define LKL_STACK_MAX	(64UL << 20)

/* Of the stack's top a new program uses this much at once. */
#define LKL_STACK_FIRST	(8 * PAGE_SIZE)

/* Pages that the image fills: mapped from the file in name only. */
static int lkl_map_data(struct mm_struct *mm, const struct lkl_image *image, struct file *file)
{
	unsigned long start = image->data_start & PAGE_MASK, end = image->data_end;
	vm_flags_t flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_ACCOUNT |
			   VM_DONTEXPAND | LKL_VM_IMAGE;
	int err;

	if (start == end)
		return 0;
	err = lkl_may_expand(mm, flags, (end - start) >> PAGE_SHIFT);
	if (!err)
		err = lkl_vma_new(mm, start, end, flags, file, 0);
	return err ?: lkl_anon_map(mm, start, end, lkl_host_prot(flags));
}

/* It does not grow, so its size is no promise of memory. */
static int lkl_map_stack(struct mm_struct *mm, unsigned long size)
{
	unsigned long bottom = STACK_TOP - size;
	unsigned long first = lkl_can_fault() ? min(size, LKL_STACK_FIRST) : size;
	vm_flags_t flags = VM_STACK_FLAGS & ~(VM_EXEC | VM_ACCOUNT);
	int err;

	mm->mmap_base = bottom - LKL_STACK_GUARD;
	err = lkl_may_expand(mm, flags, size >> PAGE_SHIFT);
	if (!err)
		err = lkl_vma_new(mm, bottom, STACK_TOP, flags, NULL, 0);
	return err ?: lkl_anon_map(mm, STACK_TOP - first, STACK_TOP, lkl_host_prot(flags));
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
