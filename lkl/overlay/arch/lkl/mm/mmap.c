// SPDX-License-Identifier: GPL-2.0
/*
 * mmap. Pages come when they are touched: a private mapping of a file reads
 * them then and does not see later writes (POSIX leaves that open), a shared
 * one shows the page cache.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/shmem_fs.h>
#include <linux/syscalls.h>
#include "lkl_mm.h"

/* A page that is surely touched soon is mapped at once: a fault costs more. */
#define LKL_SURE	(4 * PAGE_SIZE)

/* Anonymous memory where nothing is mapped. */
int lkl_map_anon(struct mm_struct *mm, unsigned long start, unsigned long end, vm_flags_t flags)
{
	int err = lkl_may_expand(mm, flags, (end - start) >> PAGE_SHIFT);

	if (!err)
		err = lkl_vma_add(mm, start, end, flags);
	/* For lack of memory now, a touch may find some. */
	if (!err && flags & VM_WRITE && end - start <= LKL_SURE)
		lkl_anon_ahead(mm, start, end, lkl_host_prot(flags));
	return err;
}

/* What the file, or driver, agreed to: a private mapping may be like zeros. */
static bool lkl_can_map(struct vm_area_struct *vma)
{
	if (!lkl_is_shared(vma) && vma_is_anonymous(vma))
		return true;
	return vma->vm_ops && vma->vm_ops->fault;
}

/* The file's pages, or those of a new file that only its mappings know. */
static int lkl_map_file(struct mm_struct *mm, unsigned long start, unsigned long end,
			vm_flags_t flags, struct file *file, pgoff_t pgoff)
{
	bool writable = file && is_shared_maywrite(flags);
	struct vm_area_struct *vma;
	int err = lkl_may_expand(mm, flags, (end - start) >> PAGE_SHIFT);

	if (err)
		return err;
	/* A seal may forbid it, and must not come in between. */
	if (writable) {
		err = mapping_map_writable(file->f_mapping);
		if (err)
			return err;
	}
	err = -ENOMEM;
	vma = vm_area_alloc(mm);
	if (!vma)
		goto out;
	vma->vm_start = start;
	vma->vm_end = end;
	vma->vm_pgoff = pgoff;
	vm_flags_init(vma, flags);
	if (file) {
		vma->vm_file = get_file(file);
		err = call_mmap(file, vma);
	} else {
		err = shmem_zero_setup(vma);
	}
	if (err) {
		/* What failed has left nothing to close. */
		vma->vm_ops = NULL;
	} else if (!lkl_can_map(vma)) {
		err = -ENODEV;
	} else {
		err = lkl_vma_insert(vma);
	}
	if (err)
		lkl_vma_free(vma);
	else
		lkl_vma_join(mm, start, end);
out:
	if (writable)
		mapping_unmap_writable(file->f_mapping);
	return err;
}

/* Nothing is mapped in the range. */
static int lkl_map(struct mm_struct *mm, unsigned long start, unsigned long end,
		   vm_flags_t flags, struct file *file, pgoff_t pgoff)
{
	if (file || flags & VM_MAYSHARE)
		return lkl_map_file(mm, start, end, flags, file, pgoff);
	return lkl_map_anon(mm, start, end, flags);
}

static long lkl_place(struct mm_struct *mm, unsigned long addr, unsigned long len,
		      unsigned long flags)
{
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (offset_in_page(addr))
			return -EINVAL;
		if (addr < LKL_USER_BASE)
			return -EPERM;
		if (len > TASK_SIZE || addr > TASK_SIZE - len)
			return -ENOMEM;
		if (flags & MAP_FIXED_NOREPLACE &&
		    find_vma_intersection(mm, addr, addr + len))
			return -EEXIST;
		return addr;
	}
	addr = PAGE_ALIGN(addr);
	if (addr >= lkl_mmap_low(mm) && len <= lkl_mmap_high(mm) &&
	    addr <= lkl_mmap_high(mm) - len &&
	    !find_vma_intersection(mm, addr, addr + len))
		return addr;
	return lkl_find_gap(mm, len);
}

/* The checks of mm/mmap.c. */
static int lkl_file_flags(struct file *file, unsigned long flags, vm_flags_t *vm_flags)
{
	int err;

	if (flags & MAP_SHARED) {
		if (*vm_flags & VM_WRITE && !(file->f_mode & FMODE_WRITE))
			return -EACCES;
		if (IS_APPEND(file_inode(file)) && file->f_mode & FMODE_WRITE)
			return -EACCES;
		*vm_flags |= VM_SHARED | VM_MAYSHARE;
		err = memfd_check_seals_mmap(file, vm_flags);
		if (err)
			return err;
		if (!(file->f_mode & FMODE_WRITE))
			*vm_flags &= ~(VM_MAYWRITE | VM_SHARED);
	}
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (path_noexec(&file->f_path)) {
		if (*vm_flags & VM_EXEC)
			return -EPERM;
		*vm_flags &= ~VM_MAYEXEC;
	}
	/* Every socket has the operation, but no protocol of a kernel without an MMU. */
	if (!file->f_op->mmap || S_ISSOCK(file_inode(file)->i_mode))
		return -ENODEV;
	/* A private mapping is read. */
	return flags & MAP_SHARED || file->f_mode & FMODE_CAN_READ ? 0 : -ENODEV;
}

/* Whether the machine promises memory: see mm/mmap.c, accountable_mapping(). */
static vm_flags_t lkl_promise(vm_flags_t vm_flags, unsigned long flags)
{
	if (flags & MAP_NORESERVE && sysctl_overcommit_memory != OVERCOMMIT_NEVER)
		return VM_NORESERVE;
	return (vm_flags & (VM_WRITE | VM_MAYSHARE)) == VM_WRITE ? VM_ACCOUNT : 0;
}

unsigned long do_mmap(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags, vm_flags_t vm_flags,
		      unsigned long pgoff, unsigned long *populate, struct list_head *uf)
{
	struct mm_struct *mm = current->mm;
	unsigned long type = flags & MAP_TYPE;
	long start;
	int err;

	*populate = 0;
	if (!len)
		return -EINVAL;
	len = PAGE_ALIGN(len);
	if (!len)
		return -ENOMEM;
	if (pgoff + (len >> PAGE_SHIFT) < pgoff)
		return -EOVERFLOW;
	if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	/* There are no huge pages, and a library falls back to those there are. */
	if (flags & MAP_HUGETLB || (type == MAP_SHARED_VALIDATE && !file))
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && flags & ~LEGACY_MAP_MASK)
		return -EOPNOTSUPP;

	vm_flags |= calc_vm_prot_bits(prot, 0) | calc_vm_flag_bits(file, flags) |
		    mm->def_flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	/* Nothing grows by itself. */
	vm_flags &= ~VM_GROWSDOWN;
	if (file) {
		err = lkl_file_flags(file, flags, &vm_flags);
		if (err)
			return err;
	} else if (flags & MAP_SHARED) {
		vm_flags |= VM_SHARED | VM_MAYSHARE;
		pgoff = 0;
	}
	if (vm_flags & VM_MAYSHARE && !lkl_can_share())
		return -ENODEV;
	if (vm_flags & VM_LOCKED) {
		if (!can_do_mlock())
			return -EPERM;
		if (!lkl_may_lock(mm, len >> PAGE_SHIFT))
			return -EAGAIN;
	}
	vm_flags |= lkl_promise(vm_flags, flags);

	start = lkl_place(mm, addr, len, flags);
	if (IS_ERR_VALUE(start))
		return start;
	err = lkl_unmap(mm, start, start + len);
	if (!err)
		err = lkl_map(mm, start, start + len, vm_flags, file, pgoff);
	if (err)
		return err;
	err = lkl_give_pages(mm, start, start + len);
	if (err) {
		lkl_unmap(mm, start, start + len);
		return err;
	}
	/* As with an MMU, it is no error when this fails. */
	if (vm_flags & VM_LOCKED || (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
		lkl_populate(mm, start, start + len, vm_flags & VM_WRITE);
	return start;
}

unsigned long ksys_mmap_pgoff(unsigned long addr, unsigned long len, unsigned long prot,
			      unsigned long flags, unsigned long fd, unsigned long pgoff)
{
	struct file *file = NULL;
	unsigned long ret;

	if (!(flags & MAP_ANONYMOUS)) {
		file = fget(fd);
		if (!file)
			return -EBADF;
	}
	ret = vm_mmap_pgoff(file, addr, len, prot, flags, pgoff);
	if (file)
		fput(file);
	return ret;
}

SYSCALL_DEFINE6(mmap2, unsigned long, addr, unsigned long, len, unsigned long, prot,
		unsigned long, flags, unsigned long, fd, unsigned long, pgoff)
{
	return ksys_mmap_pgoff(addr, len, prot, flags, fd, pgoff);
}
