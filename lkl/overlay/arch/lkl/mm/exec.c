// SPDX-License-Identifier: GPL-2.0
/*
 * The address space of a new program:
 *
 *  64 KiB      data_end                    mmap_base          TASK_SIZE
 *  | data, bss | heap -->      <-- mappings | guard | stack    |
 *
 * A host without faults cannot protect a guard either, and its memories are as
 * large as their highest page:
 *
 *  64 KiB      data_end  start_brk        mmap_base           TASK_SIZE
 *  | data, bss | stack   | heap -->       | mappings -->       |
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <asm/lkl_exec.h>
#include "lkl_mm.h"

/* A stack is one mapping that does not grow: its limit at exec is its size. */
/* The least must hold the arguments that any limit allows (fs/exec.c). */
#define LKL_STACK_MIN	(256UL << 10)
#define LKL_STACK_MAX	(64UL << 20)

/* Of the stack's top a new program uses this much at once. */
#define LKL_STACK_FIRST	(8 * PAGE_SIZE)

/* What the heap may grow to between stack and mappings. malloc() wants little of
 * it: it uses mappings. */
#define LKL_HEAP_ROOM	(1UL << 20)

/* The usual stack where all of it has memory from the start. */
#define LKL_STACK_FULL	(1UL << 20)

unsigned long lkl_user_end __ro_after_init;

/* Before there is a process. */
void __init lkl_user_init(void)
{
	lkl_user_end = host_mm_end() & ~(LKL_USER_BASE - 1UL);
	if (!lkl_can_fault())
		init_task.signal->rlim[RLIMIT_STACK].rlim_cur = LKL_STACK_FULL;
}

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
static int lkl_map_stack(struct mm_struct *mm, unsigned long top, unsigned long size)
{
	unsigned long first = lkl_can_fault() ? min(size, LKL_STACK_FIRST) : size;
	vm_flags_t flags = VM_STACK_FLAGS & ~(VM_EXEC | VM_ACCOUNT);
	int err;

	err = lkl_may_expand(mm, flags, size >> PAGE_SHIFT);
	if (!err)
		err = lkl_vma_new(mm, top - size, top, flags, NULL, 0);
	return err ?: lkl_anon_map(mm, top - first, top, lkl_host_prot(flags));
}

/* Where everything goes; false when it does not fit. */
static bool lkl_lay_out(struct mm_struct *mm, const struct lkl_image *image, unsigned long stack)
{
	unsigned long data_end = image->data_end, room = TASK_SIZE - data_end;

	mm->start_code = mm->end_code = 0;
	mm->start_data = image->data_start;
	mm->end_data = data_end;
	if (lkl_can_fault()) {
		mm->start_brk = data_end;
		mm->start_stack = STACK_TOP;
		mm->mmap_base = STACK_TOP - stack - LKL_STACK_GUARD;
		room -= min(room, LKL_STACK_GUARD);
	} else {
		mm->start_brk = mm->start_stack = data_end + stack;
		mm->mmap_base = mm->start_brk + LKL_HEAP_ROOM;
		room -= min(room, LKL_HEAP_ROOM);
	}
	mm->brk = mm->start_brk;
	return stack <= room;
}

int lkl_exec_mm(struct mm_struct *mm, const struct lkl_image *image, struct file *file,
		unsigned long stack_limit)
{
	unsigned long stack = clamp(stack_limit, LKL_STACK_MIN, LKL_STACK_MAX) & PAGE_MASK;
	int err;

	if (!lkl_lay_out(mm, image, stack))
		return -ENOMEM;
	mmap_write_lock(mm);
	err = lkl_map_data(mm, image, file);
	if (!err)
		err = lkl_map_stack(mm, mm->start_stack, stack);
	mmap_write_unlock(mm);
	return err;
}
