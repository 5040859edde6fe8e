/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The address space of a process. VMAs say what may be accessed; pages are
 * mapped on the host when they are touched, or in advance. Each has memory of
 * its own (anon.c) or shows a page of the page cache (shared.c):
 *
 *   host: access faults            kernel: copy_to_user() and the like
 *      lkl_user_fault() --> lkl_fault() <-- lkl_fault_in()     fault.c
 *                            |        |
 *                 lkl_anon_fault()  lkl_shared_fault() <-- page cache
 *                            |        |                       | truncate,
 *                   charge.c |        |                       v reclaim
 *                      host_mm_map  host_mm_share          rmap.c
 *
 * VMAs change under mmap_lock held for writing. Pages are mapped under it held
 * for reading, by several tasks in turn: from its last look at what is mapped
 * to the host operation, a task does not sleep.
 */
#ifndef _LKL_MM_H
#define _LKL_MM_H

#include <linux/mm.h>
#include <linux/xarray.h>
#include <asm/lkl_host.h>

/* Below the stack, so that running over its end does not hit a mapping. */
#define LKL_STACK_GUARD		0x10000UL

/* Data of a program's image: its file does not say what was in it. */
#define LKL_VM_IMAGE		VM_ARCH_1

struct mem_cgroup;

struct lkl_pages {
	struct xarray anon;	/* 15 pages an entry: two bits for each */
	struct xarray shared;	/* page frame << 1 | writable */
	unsigned long next;	/* the page that an access in sequence touches */
	unsigned int window;	/* how many pages it gets */
	unsigned long shares;	/* entries of @shared */
	unsigned long charged;	/* pages of @anon ... */
	struct mem_cgroup *payer;	/* ... and whose they are */
};

static inline u32 lkl_host_prot(vm_flags_t flags)
{
	return (flags & VM_READ ? LKL_PROT_READ : 0) |
	       (flags & VM_EXEC ? LKL_PROT_READ : 0) |
	       (flags & VM_WRITE ? LKL_PROT_READ | LKL_PROT_WRITE : 0);
}

/* Shows the page cache rather than memory of its own. */
static inline bool lkl_is_shared(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_MAYSHARE;
}

/* Has memory of its own that begins with what the file says: not /dev/zero's. */
static inline bool lkl_is_read(const struct vm_area_struct *vma)
{
	return vma->vm_file && vma->vm_ops && !lkl_is_shared(vma);
}

static inline pgoff_t lkl_pgoff(const struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
}

/* charge.c: what processes have of the machine's memory */
extern bool lkl_charge(struct mm_struct *mm, unsigned long pages, bool kill);
extern void lkl_uncharge(struct mm_struct *mm, unsigned long pages);
/* How much they may have, as another command line says. */
extern void lkl_set_user_memory(char *command_line);

/* anon.c: pages of their own */
extern unsigned long lkl_anon_find(struct mm_struct *mm, unsigned long addr,
				   unsigned long end, bool present);
extern int lkl_anon_map(struct mm_struct *mm, unsigned long start, unsigned long end, u32 prot);
extern void lkl_anon_ahead(struct mm_struct *mm, unsigned long start, unsigned long end, u32 prot);
extern void lkl_anon_ask(struct mm_struct *mm, unsigned long start, unsigned long end);
extern bool lkl_anon_touched(struct mm_struct *mm, unsigned long addr);
extern int lkl_anon_copy(struct mm_struct *mm, struct mm_struct *from, unsigned long start,
			 unsigned long end, u32 prot);
extern void lkl_anon_end(struct mm_struct *mm);
extern void lkl_anon_zap(struct mm_struct *mm, unsigned long start, unsigned long end);
extern int lkl_anon_move(struct mm_struct *mm, unsigned long from, unsigned long to,
			 unsigned long len, u32 prot);
extern vm_fault_t lkl_anon_fault(struct vm_area_struct *vma, unsigned long addr);

/* Each run of pages with memory in a range. */
#define lkl_for_each_run(mm, from, to, start, end)				\
	for (from = lkl_anon_find(mm, start, end, true);			\
	     from < (end) && (to = lkl_anon_find(mm, from, end, false), true);	\
	     from = lkl_anon_find(mm, to, end, true))

/* What the host can do with memory of processes. */
static inline bool lkl_can_share(void)
{
	return host_mm_features() & LKL_MM_SHARES;
}

/*
 * Where not, all of a mapping gets its pages at once, and a memory reaches up
 * to the highest: so all lies as low as it can, see exec.c.
 */
static inline bool lkl_can_fault(void)
{
	return host_mm_features() & LKL_MM_FAULTS;
}

/* Between these the kernel chooses addresses of mappings. */
static inline unsigned long lkl_mmap_low(const struct mm_struct *mm)
{
	return lkl_can_fault() ? LKL_USER_BASE : mm->mmap_base;
}

static inline unsigned long lkl_mmap_high(const struct mm_struct *mm)
{
	return lkl_can_fault() ? mm->mmap_base : TASK_SIZE;
}

/* shared.c: pages of the page cache */

extern void lkl_shared_forget(struct mm_struct *mm, unsigned long start, unsigned long end);
extern void lkl_shared_drop(struct mm_struct *mm, unsigned long start, unsigned long end);
extern vm_fault_t lkl_shared_fault(struct vm_area_struct *vma, unsigned long addr, bool write);
extern bool lkl_shared_writable(struct mm_struct *mm, unsigned long addr);
extern void lkl_shared_protect(struct mm_struct *mm, unsigned long addr, u32 prot);

/* fault.c */
extern vm_fault_t lkl_fault(struct vm_area_struct *vma, unsigned long addr, bool write);
extern int lkl_fault_in(unsigned long addr, bool write);
extern int lkl_populate(struct mm_struct *mm, unsigned long start, unsigned long end, bool write);
extern int lkl_give_pages(struct mm_struct *mm, unsigned long start, unsigned long end);
extern void lkl_zap(struct vm_area_struct *vma, unsigned long start, unsigned long end);

/* vma.c */
extern int lkl_may_expand(struct mm_struct *mm, vm_flags_t flags, unsigned long pages);
extern void lkl_account(struct mm_struct *mm, vm_flags_t flags, long pages);
extern int lkl_vma_insert(struct vm_area_struct *vma);
extern int lkl_vma_new(struct mm_struct *mm, unsigned long start, unsigned long end,
		       vm_flags_t flags, struct file *file, pgoff_t pgoff);
extern int lkl_vma_copy(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start,
			unsigned long len);
extern int lkl_vma_split(struct mm_struct *mm, unsigned long addr);
extern int lkl_vma_remove(struct vm_area_struct *vma);
extern void lkl_vma_free(struct vm_area_struct *vma);
extern void lkl_vma_end(struct vm_area_struct *vma);
extern int lkl_vma_resize(struct vm_area_struct *vma, unsigned long start, unsigned long end);
extern int lkl_vma_absorb(struct vm_area_struct *vma, struct vm_area_struct *next);
extern bool lkl_range_mapped(struct mm_struct *mm, unsigned long start, unsigned long end);
extern unsigned long lkl_find_gap(struct mm_struct *mm, unsigned long len);

/* join.c */
extern int lkl_vma_add(struct mm_struct *mm, unsigned long start, unsigned long end,
		       vm_flags_t flags);
extern void lkl_vma_join(struct mm_struct *mm, unsigned long start, unsigned long end);
extern int lkl_change_flags(struct mm_struct *mm, unsigned long start, unsigned long end,
			    vm_flags_t set, vm_flags_t clear);

/* mmap.c */
extern int lkl_map_anon(struct mm_struct *mm, unsigned long start, unsigned long end,
			vm_flags_t flags);

/* munmap.c */
extern int lkl_unmap(struct mm_struct *mm, unsigned long start, unsigned long end);

/* lock.c */
extern bool lkl_may_lock(struct mm_struct *mm, unsigned long pages);

/*
 * As mm/internal.h, mm/memcontrol-v1.h and fs/proc/internal.h declare them;
 * the first two are called here, the others are what others call.
 */
struct seq_file;
extern unsigned long vm_mmap_pgoff(struct file *file, unsigned long addr, unsigned long len,
				   unsigned long prot, unsigned long flags, unsigned long pgoff);
extern int try_charge_memcg(struct mem_cgroup *memcg, gfp_t gfp_mask, unsigned int nr_pages);
extern void unmap_mapping_folio(struct folio *folio);
extern void task_mem(struct seq_file *m, struct mm_struct *mm);
extern unsigned long task_vsize(struct mm_struct *mm);
extern unsigned long task_statm(struct mm_struct *mm, unsigned long *shared,
				unsigned long *text, unsigned long *data,
				unsigned long *resident);

#endif
