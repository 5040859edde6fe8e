/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The address space of a process. VMAs say what is mapped, the host maps it:
 * what is in the tree is mapped on the host and nothing else is. All of this
 * runs under mmap_lock held for writing.
 */
#ifndef _LKL_MM_H
#define _LKL_MM_H

#include <linux/mm.h>
#include <asm/lkl_host.h>

/* Below the stack, so that running over its end does not hit a mapping. */
#define LKL_STACK_GUARD		0x10000UL

static inline u32 lkl_host_prot(vm_flags_t flags)
{
	return (flags & VM_READ ? LKL_PROT_READ : 0) |
	       (flags & VM_EXEC ? LKL_PROT_READ : 0) |
	       (flags & VM_WRITE ? LKL_PROT_READ | LKL_PROT_WRITE : 0);
}

/* vma.c */
extern bool lkl_may_expand(struct mm_struct *mm, vm_flags_t flags, unsigned long pages);
extern void lkl_account(struct mm_struct *mm, vm_flags_t flags, long pages);
extern int lkl_vma_new(struct mm_struct *mm, unsigned long start, unsigned long end,
		       vm_flags_t flags, struct file *file, pgoff_t pgoff);
extern int lkl_vma_add(struct mm_struct *mm, unsigned long start, unsigned long end,
		       vm_flags_t flags, struct file *file, pgoff_t pgoff);
extern int lkl_vma_split(struct mm_struct *mm, unsigned long addr);
extern int lkl_vma_remove(struct vm_area_struct *vma);
extern int lkl_vma_extend(struct vm_area_struct *vma, unsigned long end);
extern bool lkl_range_mapped(struct mm_struct *mm, unsigned long start, unsigned long end);
extern unsigned long lkl_find_gap(struct mm_struct *mm, unsigned long len);

/* mmap.c */
extern int lkl_map_fresh(struct mm_struct *mm, unsigned long start, unsigned long end,
			 vm_flags_t flags, struct file *file, pgoff_t pgoff);
extern int lkl_fill(struct mm_struct *mm, unsigned long start, unsigned long end,
		    vm_flags_t flags, struct file *file, pgoff_t pgoff);

/* munmap.c */
extern int lkl_unmap(struct mm_struct *mm, unsigned long start, unsigned long end);

/* proc.c */
extern unsigned long lkl_mm_resident(struct mm_struct *mm);

/*
 * As mm/internal.h and fs/proc/internal.h declare them; the first is called
 * here, the others are what fs/proc calls.
 */
struct seq_file;
extern unsigned long vm_mmap_pgoff(struct file *file, unsigned long addr, unsigned long len,
				   unsigned long prot, unsigned long flags, unsigned long pgoff);
extern void task_mem(struct seq_file *m, struct mm_struct *mm);
extern unsigned long task_vsize(struct mm_struct *mm);
extern unsigned long task_statm(struct mm_struct *mm, unsigned long *shared,
				unsigned long *text, unsigned long *data,
				unsigned long *resident);

#endif
