// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of the page cache in a process. The host maps the very page of the
 * kernel's memory, so that a mapping, read() and write() of every file system
 * see the same bytes. A page is mapped read-only until it is written, which
 * its file system hears of (page_mkwrite) as with an MMU.
 *
 * An entry holds a reference and a count in _mapcount. It is added under the
 * folio's lock, which truncation and reclaim take before they look for it.
 */
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/vmstat.h>
#include <linux/writeback.h>
#include "lkl_mm.h"

#define LKL_ENTRY_WRITABLE	1UL

/*
 * Pages that do not lie side by side cost a mapping of the host each, of which
 * it has 65,530. Everything shown can be shown again, so a process with many
 * of them starts over when all have this many.
 */
#define LKL_SHARES_MAX		24576UL
#define LKL_SHARES_KEPT		64UL
/* What an access in sequence gets at most, pages. */
#define LKL_AROUND		16U

static unsigned long lkl_shares;

static struct page *lkl_entry_page(void *entry)
{
	return pfn_to_page(xa_to_value(entry) >> 1);
}

static bool lkl_entry_writable(void *entry)
{
	return xa_to_value(entry) & LKL_ENTRY_WRITABLE;
}

static void *lkl_entry(struct page *page, bool writable)
{
	return xa_mk_value(page_to_pfn(page) << 1 | (writable ? LKL_ENTRY_WRITABLE : 0));
}

static void lkl_forget(struct mm_struct *mm, void *entry)
{
	struct folio *folio = page_folio(lkl_entry_page(entry));

	update_hiwater_rss(mm);
	dec_mm_counter(mm, mm_counter_file(folio));
	mm->context.pages->shares--;
	lkl_shares--;
	if (atomic_add_negative(-1, &folio->_mapcount))
		__lruvec_stat_mod_folio(folio, NR_FILE_MAPPED, -1);
	folio_put(folio);
}

/* The host has unmapped the range. */
void lkl_shared_forget(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct xarray *xa = &mm->context.pages->shared;
	unsigned long index;
	void *entry;

	xa_for_each_range(xa, index, entry, start >> PAGE_SHIFT, (end - 1) >> PAGE_SHIFT) {
		xa_erase(xa, index);
		lkl_forget(mm, entry);
	}
}

void lkl_shared_drop(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long index = start >> PAGE_SHIFT;

	if (!xa_find(&mm->context.pages->shared, &index, (end - 1) >> PAGE_SHIFT, XA_PRESENT))
		return;
	host_mm_unmap(mm->context.id, start, end - start);
	lkl_shared_forget(mm, start, end);
}

bool lkl_shared_writable(struct mm_struct *mm, unsigned long addr)
{
	void *entry = xa_load(&mm->context.pages->shared, addr >> PAGE_SHIFT);

	return entry && lkl_entry_writable(entry);
}

/* The next write to a page that was written comes here again. */
void lkl_shared_protect(struct mm_struct *mm, unsigned long addr, u32 prot)
{
	struct xarray *xa = &mm->context.pages->shared;
	void *entry = xa_load(xa, addr >> PAGE_SHIFT);

	if (host_mm_protect(mm->context.id, addr, PAGE_SIZE, prot))
		lkl_shared_drop(mm, addr, addr + PAGE_SIZE);
	else
		xa_store(xa, addr >> PAGE_SHIFT, lkl_entry(lkl_entry_page(entry), false),
			 GFP_ATOMIC);
}

static u32 lkl_shared_prot(struct vm_area_struct *vma, bool writable)
{
	u32 prot = lkl_host_prot(vma->vm_flags);

	return writable ? prot : prot & ~LKL_PROT_WRITE;
}

/* The folio is locked; its reference becomes the entry's, or is dropped. */
static vm_fault_t lkl_show(struct vm_area_struct *vma, unsigned long addr, struct folio *folio,
			   struct page *page, bool writable)
{
	struct mm_struct *mm = vma->vm_mm;
	struct lkl_pages *p = mm->context.pages;
	void *old = xa_load(&p->shared, addr >> PAGE_SHIFT);

	if (old && lkl_entry_page(old) != page) {
		lkl_shared_drop(mm, addr, addr + PAGE_SIZE);
		old = NULL;
	}
	if (host_mm_share(mm->context.id, addr, page_address(page), PAGE_SIZE,
			  lkl_shared_prot(vma, writable))) {
		folio_put(folio);
		return VM_FAULT_OOM;
	}
	/* There is room for it, unless another page was just dropped there. */
	if (xa_is_err(xa_store(&p->shared, addr >> PAGE_SHIFT, lkl_entry(page, writable),
			       GFP_ATOMIC))) {
		host_mm_unmap(mm->context.id, addr, PAGE_SIZE);
		folio_put(folio);
		return VM_FAULT_OOM;
	}
	if (old) {
		folio_put(folio);
		return 0;
	}
	inc_mm_counter(mm, mm_counter_file(folio));
	p->shares++;
	lkl_shares++;
	if (atomic_inc_and_test(&folio->_mapcount))
		__lruvec_stat_mod_folio(folio, NR_FILE_MAPPED, 1);
	return 0;
}

/*
 * A write to the page begins. Takes it unlocked, gives it back locked, or 0
 * unlocked when the access has to be made anew.
 */
static vm_fault_t lkl_make_writable(struct vm_fault *vmf, struct folio *folio)
{
	const struct vm_operations_struct *ops = vmf->vma->vm_ops;
	vm_fault_t ret = 0;

	vmf->flags = FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE;
	if (ops->page_mkwrite) {
		ret = ops->page_mkwrite(vmf);
		if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE))
			return ret & VM_FAULT_ERROR;
	} else {
		file_update_time(vmf->vma->vm_file);
	}
	if (!(ret & VM_FAULT_LOCKED)) {
		folio_lock(folio);
		if (!folio->mapping) {
			folio_unlock(folio);
			return 0;
		}
	}
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

static vm_fault_t lkl_show_for_write(struct vm_fault *vmf, struct folio *folio)
{
	struct address_space *mapping = folio->mapping;
	vm_fault_t ret = lkl_make_writable(vmf, folio);

	if (!(ret & VM_FAULT_LOCKED)) {
		folio_put(folio);
		return ret;
	}
	ret = lkl_show(vmf->vma, vmf->address, folio, vmf->page, true);
	folio_unlock(folio);
	if (mapping)
		balance_dirty_pages_ratelimited(mapping);
	return ret;
}

static vm_fault_t lkl_shared_one(struct vm_area_struct *vma, unsigned long addr, bool write)
{
	struct xarray *xa = &vma->vm_mm->context.pages->shared;
	struct vm_fault vmf = {
		.vma = vma,
		.address = addr,
		.real_address = addr,
		.pgoff = lkl_pgoff(vma, addr),
		.gfp_mask = GFP_KERNEL_ACCOUNT | __GFP_FS | __GFP_IO,
		.flags = FAULT_FLAG_USER | (write ? FAULT_FLAG_WRITE : 0),
	};
	void *entry = xa_load(xa, addr >> PAGE_SHIFT);
	struct folio *folio;
	vm_fault_t ret;

	if (entry && write && !lkl_entry_writable(entry)) {
		vmf.page = lkl_entry_page(entry);
		folio = page_folio(vmf.page);
		folio_get(folio);
		return lkl_show_for_write(&vmf, folio);
	}
	/* Room for the entry, before the folio is locked. */
	if (!entry && xa_reserve(xa, addr >> PAGE_SHIFT, GFP_KERNEL_ACCOUNT))
		return VM_FAULT_OOM;
	ret = vma->vm_ops->fault(&vmf);
	if (ret & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY | VM_FAULT_DONE_COW))
		return ret & VM_FAULT_ERROR;
	folio = page_folio(vmf.page);
	if (!(ret & VM_FAULT_LOCKED))
		folio_lock(folio);
	if (write) {
		folio_unlock(folio);
		return lkl_show_for_write(&vmf, folio);
	}
	ret = lkl_show(vma, addr, folio, vmf.page, entry && lkl_entry_writable(entry));
	folio_unlock(folio);
	return ret;
}

static void lkl_start_over(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma)
		if (lkl_is_shared(vma))
			lkl_shared_drop(mm, vma->vm_start, vma->vm_end);
}

vm_fault_t lkl_shared_fault(struct vm_area_struct *vma, unsigned long addr, bool write)
{
	struct mm_struct *mm = vma->vm_mm;
	struct lkl_pages *p = mm->context.pages;
	unsigned int around;
	unsigned long end;
	vm_fault_t ret;
	loff_t size;

	if (lkl_shares > LKL_SHARES_MAX && p->shares > LKL_SHARES_KEPT)
		lkl_start_over(mm);
	ret = lkl_shared_one(vma, addr, write);
	if (ret)
		return ret;
	around = p->next == addr ? min(2 * p->window, LKL_AROUND) : 1;
	/* What comes next in a sequence; that it fails means nothing yet. */
	end = addr + (around << PAGE_SHIFT);
	size = i_size_read(vma->vm_file->f_mapping->host);
	for (addr += PAGE_SIZE; addr < min(end, vma->vm_end); addr += PAGE_SIZE)
		if ((loff_t)lkl_pgoff(vma, addr) << PAGE_SHIFT >= size ||
		    lkl_shared_one(vma, addr, write))
			break;
	p->next = addr;
	p->window = around;
	return 0;
}
