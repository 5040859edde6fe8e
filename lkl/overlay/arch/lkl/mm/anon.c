// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of a process's own: anonymous ones, and private ones of a file, which
 * are read when they are touched. The host makes several at once: a fault
 * costs as much as giving memory to about sixteen pages, so an access in
 * sequence gets twice as many as the last one.
 */
#include <linux/bitops.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "lkl_mm.h"

/* Pages in an entry of the array: two bits for each are what a value can hold. */
#define LKL_GROUP	15UL
#define LKL_FULL	((1UL << LKL_GROUP) - 1)

#define LKL_FEWEST	4UL	/* pages that a fault maps ... */
#define LKL_MOST	512UL	/* ... and 2 MiB in a sequence */
#define LKL_MOST_READ	16UL	/* ... of a file */

/*
 * Single islands of pages cost two mappings of the host each, of which it has
 * a limited number: no mapping of the guest may make more than this many.
 */
#define LKL_ISLANDS	4096UL

/* The lower half: pages that have memory. The upper: got it before any touch. */
static unsigned long lkl_value(struct xarray *xa, unsigned long group)
{
	void *entry = xa_load(xa, group);

	return entry ? xa_to_value(entry) : 0;
}

static unsigned long lkl_bits(struct xarray *xa, unsigned long group)
{
	return lkl_value(xa, group) & LKL_FULL;
}

/* The first page in a range that has memory, or has none; @end if there is none. */
unsigned long lkl_anon_find(struct mm_struct *mm, unsigned long addr, unsigned long end,
			    bool present)
{
	struct xarray *xa = &mm->context.pages->anon;
	unsigned long page = addr >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

	while (page < last) {
		unsigned long group = page / LKL_GROUP;
		unsigned long bits = lkl_bits(xa, group);

		bits = (present ? bits : ~bits & LKL_FULL) & (LKL_FULL << (page % LKL_GROUP));
		if (bits & LKL_FULL)
			return min(end, (group * LKL_GROUP + __ffs(bits)) << PAGE_SHIFT);
		group++;
		if (present && !xa_find(xa, &group, (last - 1) / LKL_GROUP, XA_PRESENT))
			return end;
		page = group * LKL_GROUP;
	}
	return end;
}

/* Room to note a range, so that noting it neither fails nor sleeps. */
static int lkl_anon_prepare(struct lkl_pages *p, unsigned long start, unsigned long end)
{
	unsigned long group = (start >> PAGE_SHIFT) / LKL_GROUP;
	unsigned long last = ((end - 1) >> PAGE_SHIFT) / LKL_GROUP;

	for (; group <= last; group++) {
		int err = xa_insert(&p->anon, group, xa_mk_value(0), GFP_KERNEL_ACCOUNT);

		if (err && err != -EBUSY)
			return err;
	}
	return 0;
}

enum lkl_note { LKL_NONE, LKL_TOUCHED, LKL_AHEAD };

/* Notes that a range has memory, or none; how many pages changed. */
static unsigned long lkl_anon_note(struct lkl_pages *p, unsigned long start, unsigned long end,
				   enum lkl_note what)
{
	unsigned long page = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT, changed = 0;

	while (page < last) {
		unsigned long group = page / LKL_GROUP, value = lkl_value(&p->anon, group);
		unsigned long next = min(last, (group + 1) * LKL_GROUP);
		unsigned long mask = (LKL_FULL << (page % LKL_GROUP)) &
				     (LKL_FULL >> ((group + 1) * LKL_GROUP - next));
		unsigned long now = value & ~(mask | mask << LKL_GROUP);

		if (what != LKL_NONE)
			now |= what == LKL_AHEAD ? mask | mask << LKL_GROUP : mask;
		changed += hweight_long((now ^ value) & LKL_FULL);
		if (now)
			xa_store(&p->anon, group, xa_mk_value(now), GFP_ATOMIC);
		else
			xa_erase(&p->anon, group);
		page = next;
	}
	return changed;
}

/*
 * Whether a page was touched, of which nothing is known when it got its memory
 * ahead: then whether it is not zero any more.
 */
bool lkl_anon_touched(struct mm_struct *mm, unsigned long addr)
{
	unsigned long page = addr >> PAGE_SHIFT;
	unsigned long value = lkl_value(&mm->context.pages->anon, page / LKL_GROUP);
	unsigned long bit = 1UL << (page % LKL_GROUP), at;
	char part[128];

	if (!(value & bit) || !(value & bit << LKL_GROUP))
		return value & bit;
	for (at = addr; at < addr + PAGE_SIZE; at += sizeof(part))
		/* What may not be read now was touched, as far as we know. */
		if (host_mm_access(mm->context.id, at, part, sizeof(part), 0) ||
		    memchr_inv(part, 0, sizeof(part)))
			return true;
	return false;
}

/* Memory where there is none: zeros, or a copy of @from's. */
static int lkl_anon_make(struct mm_struct *mm, struct mm_struct *from, unsigned long start,
			 unsigned long end, u32 prot, enum lkl_note what)
{
	struct lkl_pages *p = mm->context.pages;
	int err = lkl_anon_prepare(p, start, end);

	if (err)
		return err;
	if (!lkl_charge(mm, (end - start) >> PAGE_SHIFT, false))
		return -ENOMEM;
	if (from)
		err = host_mm_copy(from->context.id, mm->context.id, start, end - start, prot);
	else
		err = host_mm_map(mm->context.id, start, end - start, prot);
	if (err)
		lkl_uncharge(mm, (end - start) >> PAGE_SHIFT);
	else
		lkl_anon_note(p, start, end, what);
	return err;
}

/* In advance. For lack of memory now, a touch may find some later. */
int lkl_anon_map(struct mm_struct *mm, unsigned long start, unsigned long end, u32 prot)
{
	return lkl_anon_make(mm, NULL, start, end, prot, LKL_TOUCHED);
}

/* ... of which the process must not see that it is there already. */
void lkl_anon_ahead(struct mm_struct *mm, unsigned long start, unsigned long end, u32 prot)
{
	lkl_anon_make(mm, NULL, start, end, prot, LKL_AHEAD);
}

/* Somebody asked for what may have been given ahead. */
void lkl_anon_ask(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long from, to;

	lkl_for_each_run(mm, from, to, start, end)
		lkl_anon_note(mm->context.pages, from, to, LKL_TOUCHED);
}

/* For a forked child, whose memory of its own is empty. */
int lkl_anon_copy(struct mm_struct *mm, struct mm_struct *from, unsigned long start,
		  unsigned long end, u32 prot)
{
	return lkl_anon_make(mm, from, start, end, prot, LKL_TOUCHED);
}

void lkl_anon_zap(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long from, to, pages = 0;

	lkl_for_each_run(mm, from, to, start, end)
		pages += lkl_anon_note(mm->context.pages, from, to, LKL_NONE);
	if (!pages)
		return;
	host_mm_unmap(mm->context.id, start, end - start);
	lkl_uncharge(mm, pages);
}

/* The address space ends: the host has taken all of it. */
void lkl_anon_end(struct mm_struct *mm)
{
	lkl_uncharge(mm, mm->context.pages->charged);
	xa_destroy(&mm->context.pages->anon);
}

/* Takes memory along to a range that has none. */
int lkl_anon_move(struct mm_struct *mm, unsigned long start, unsigned long to,
		  unsigned long len, u32 prot)
{
	unsigned long end = start + len, from, until;
	int err;

	lkl_for_each_run(mm, from, until, start, end) {
		unsigned long target = to + (from - start), size = until - from;

		err = lkl_anon_prepare(mm->context.pages, target, target + size);
		if (!err)
			err = host_mm_move(mm->context.id, from, target, size, prot);
		if (err)
			return err;
		lkl_anon_note(mm->context.pages, from, until, LKL_NONE);
		lkl_anon_note(mm->context.pages, target, target + size, LKL_TOUCHED);
	}
	return 0;
}

/* The pages around @addr that get memory now. */
static void lkl_anon_window(struct vm_area_struct *vma, unsigned long addr,
			    unsigned long *start, unsigned long *end)
{
	struct lkl_pages *p = vma->vm_mm->context.pages;
	unsigned long most = lkl_is_read(vma) ? LKL_MOST_READ : LKL_MOST;
	unsigned long unit = max(LKL_FEWEST, roundup_pow_of_two(vma_pages(vma)) / LKL_ISLANDS);

	if (p->next == addr) {
		p->window = min(most, 2UL * p->window);
		*start = addr;
	} else {
		p->window = min(most, unit);
		*start = max(vma->vm_start, addr & ~((p->window << PAGE_SHIFT) - 1));
	}
	*end = *start + min(vma->vm_end - *start, (unsigned long)p->window << PAGE_SHIFT);
	p->next = *end;
}

/* ... without those that have it. */
static void lkl_anon_trim(struct mm_struct *mm, unsigned long addr,
			  unsigned long *start, unsigned long *end)
{
	unsigned long at = *start, until;

	/* The last run with memory below @addr. */
	while ((at = lkl_anon_find(mm, at, addr, true)) < addr) {
		until = lkl_anon_find(mm, at, addr, false);
		*start = until;
		at = until;
	}
	*end = lkl_anon_find(mm, addr, *end, true);
}

/* What the file says of these pages; a page behind its end is an error. */
static void *lkl_read_file(struct vm_area_struct *vma, unsigned long addr, unsigned long start,
			   unsigned long *end, vm_fault_t *fault)
{
	struct file *file = vma->vm_file;
	pgoff_t pages = DIV_ROUND_UP_ULL(i_size_read(file->f_mapping->host), PAGE_SIZE);
	loff_t pos = (loff_t)lkl_pgoff(vma, start) << PAGE_SHIFT;
	unsigned long done = 0;
	char *buf;

	*fault = VM_FAULT_SIGBUS;
	if (lkl_pgoff(vma, addr) >= pages)
		return NULL;
	*end = min(*end, start + ((pages - lkl_pgoff(vma, start)) << PAGE_SHIFT));
	*fault = VM_FAULT_OOM;
	buf = kvzalloc(*end - start, GFP_KERNEL);
	if (!buf)
		return NULL;
	while (done < *end - start) {
		ssize_t n = kernel_read(file, buf + done, *end - start - done, &pos);

		if (n < 0) {
			*fault = VM_FAULT_SIGBUS;
			kvfree(buf);
			return NULL;
		}
		if (!n)
			break;
		done += n;
	}
	*fault = 0;
	return buf;
}

static int lkl_anon_install(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			    const void *content)
{
	struct mm_struct *mm = vma->vm_mm;
	u32 prot = lkl_host_prot(vma->vm_flags);
	u32 first = content ? LKL_PROT_READ | LKL_PROT_WRITE : prot;
	int err = host_mm_map(mm->context.id, start, end - start, first);

	if (err)
		return err;
	if (content) {
		host_mm_access(mm->context.id, start, (void *)content, end - start, 1);
		if (prot != first)
			err = host_mm_protect(mm->context.id, start, end - start, prot);
	}
	if (err)
		host_mm_unmap(mm->context.id, start, end - start);
	else
		lkl_anon_note(mm->context.pages, start, end, LKL_TOUCHED);
	return err;
}

/* Charged for, and still without memory: others may have run meanwhile. */
static vm_fault_t lkl_anon_give(struct vm_area_struct *vma, unsigned long addr,
				unsigned long start, unsigned long end, const void *content)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned long charged = (end - start) >> PAGE_SHIFT;
	int err = -EAGAIN;

	if (lkl_anon_find(mm, start, end, true) == end)
		err = lkl_anon_install(vma, start, end, content);
	if (err)
		lkl_uncharge(mm, charged);
	return err == -EAGAIN ? 0 : err ? VM_FAULT_OOM : 0;
}

/*
 * The host has no mapping left for another island: all that lies between this
 * one and its neighbours makes them one.
 */
static vm_fault_t lkl_anon_fill_gap(struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned long start = vma->vm_start, end = vma->vm_end;

	lkl_anon_trim(mm, addr, &start, &end);
	if (lkl_anon_prepare(mm->context.pages, start, end) ||
	    !lkl_charge(mm, (end - start) >> PAGE_SHIFT, false))
		return VM_FAULT_OOM;
	return lkl_anon_give(vma, addr, start, end, NULL);
}

/* Rather this page alone than somebody's death. */
static vm_fault_t lkl_anon_pay(struct vm_area_struct *vma, unsigned long addr,
			       unsigned long start, unsigned long end, const void *content)
{
	if (lkl_charge(vma->vm_mm, (end - start) >> PAGE_SHIFT, false))
		return lkl_anon_give(vma, addr, start, end, content);
	if (!lkl_charge(vma->vm_mm, 1, true))
		return VM_FAULT_OOM;
	return lkl_anon_give(vma, addr, addr, addr + PAGE_SIZE,
			     content ? content + (addr - start) : NULL);
}

vm_fault_t lkl_anon_fault(struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned long start, end;
	void *content = NULL;
	vm_fault_t fault;

	/* A second task of the process came here for the same page. */
	if (lkl_anon_find(mm, addr, addr + PAGE_SIZE, true) == addr)
		return host_mm_protect(mm->context.id, addr, PAGE_SIZE,
				       lkl_host_prot(vma->vm_flags)) ? VM_FAULT_OOM : 0;
	lkl_anon_window(vma, addr, &start, &end);
	lkl_anon_trim(mm, addr, &start, &end);
	if (lkl_anon_prepare(mm->context.pages, start, end))
		return VM_FAULT_OOM;
	if (lkl_is_read(vma)) {
		content = lkl_read_file(vma, addr, start, &end, &fault);
		if (!content)
			return fault;
	}
	fault = lkl_anon_pay(vma, addr, start, end, content);
	kvfree(content);
	if (fault & VM_FAULT_OOM && !lkl_is_read(vma))
		fault = lkl_anon_fill_gap(vma, addr);
	return fault;
}
