// SPDX-License-Identifier: GPL-2.0
/*
 * From a page of the page cache to the processes that see it: truncation,
 * reclaim and writeback take it away from them, or the right to write it.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include "lkl_mm.h"

/* Where pages [@first, @last] of the file lie in @vma. */
static void lkl_place_of(struct vm_area_struct *vma, pgoff_t first, pgoff_t last,
			 unsigned long *start, unsigned long *end)
{
	pgoff_t low = max(first, vma->vm_pgoff);
	pgoff_t high = min(last, vma->vm_pgoff + vma_pages(vma) - 1);

	*start = vma->vm_start + ((low - vma->vm_pgoff) << PAGE_SHIFT);
	*end = vma->vm_start + ((high - vma->vm_pgoff + 1) << PAGE_SHIFT);
}

static void lkl_unmap_pages(struct address_space *mapping, pgoff_t first, pgoff_t last,
			    bool own, vm_flags_t spared)
{
	struct vm_area_struct *vma;

	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(vma, &mapping->i_mmap, first, last) {
		unsigned long start, end;

		if (vma->vm_flags & spared)
			continue;
		lkl_place_of(vma, first, last, &start, &end);
		if (lkl_is_shared(vma))
			lkl_shared_drop(vma->vm_mm, start, end);
		else if (own)
			lkl_anon_zap(vma->vm_mm, start, end);
	}
	i_mmap_unlock_read(mapping);
}

/* @even_cows: private copies too; the file has no such pages any more. */
void unmap_mapping_pages(struct address_space *mapping, pgoff_t start, pgoff_t nr,
			 bool even_cows)
{
	pgoff_t last = start + nr - 1;

	lkl_unmap_pages(mapping, start, last < start ? ULONG_MAX : last, even_cows, 0);
}
EXPORT_SYMBOL_GPL(unmap_mapping_pages);

/* Bytes; a length of 0 means to the end. */
void unmap_mapping_range(struct address_space *mapping, loff_t const holebegin,
			 loff_t const holelen, int even_cows)
{
	pgoff_t start = (u64)holebegin >> PAGE_SHIFT;
	u64 last = (u64)(holebegin + holelen - 1) >> PAGE_SHIFT;

	if (!holelen || last > ULONG_MAX)
		last = ULONG_MAX;
	if (last >= start)
		lkl_unmap_pages(mapping, start, last, even_cows, 0);
}
EXPORT_SYMBOL(unmap_mapping_range);

void unmap_mapping_folio(struct folio *folio)
{
	lkl_unmap_pages(folio->mapping, folio->index, folio->index, false, 0);
}

/* For reclaim; the folio is locked, so its mapping stays. */
void try_to_unmap(struct folio *folio, enum ttu_flags flags)
{
	struct address_space *mapping = folio_mapping(folio);

	if (mapping)
		lkl_unmap_pages(mapping, folio->index, folio->index, false,
				flags & TTU_IGNORE_MLOCK ? 0 : VM_LOCKED);
}

/* Nobody tells when a mapped page is read; only that it may not go. */
int folio_referenced(struct folio *folio, int is_locked, struct mem_cgroup *memcg,
		     unsigned long *vm_flags)
{
	struct address_space *mapping;
	struct vm_area_struct *vma;

	*vm_flags = 0;
	if (!folio_mapped(folio) || (!is_locked && !folio_trylock(folio)))
		return 0;
	mapping = folio_mapping(folio);
	if (mapping && i_mmap_trylock_read(mapping)) {
		vma_interval_tree_foreach(vma, &mapping->i_mmap, folio->index, folio->index)
			*vm_flags |= vma->vm_flags;
		i_mmap_unlock_read(mapping);
	}
	if (!is_locked)
		folio_unlock(folio);
	return 0;
}

/* Writeback begins: whoever writes from now on makes the page dirty again. */
int folio_mkclean(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);
	struct vm_area_struct *vma;
	int cleaned = 0;

	if (!mapping || !folio_mapped(folio))
		return 0;
	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(vma, &mapping->i_mmap, folio->index, folio->index) {
		unsigned long start, end;

		lkl_place_of(vma, folio->index, folio->index, &start, &end);
		if (!lkl_is_shared(vma) || !lkl_shared_writable(vma->vm_mm, start))
			continue;
		lkl_shared_protect(vma->vm_mm, start,
				   lkl_host_prot(vma->vm_flags & ~VM_WRITE));
		cleaned++;
	}
	i_mmap_unlock_read(mapping);
	return cleaned;
}
EXPORT_SYMBOL_GPL(folio_mkclean);
