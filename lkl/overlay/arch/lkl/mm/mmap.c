// SPDX-License-Identifier: GPL-2.0
/*
 * mmap. Pages are the host's; a file is read in when it is mapped, so a
 * private mapping does not see later writes (POSIX leaves that open) and a
 * shared one is only possible while nobody may write through it.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include "lkl_mm.h"

#define LKL_READ_CHUNK	(16 * PAGE_SIZE)

/* What lies behind the end of the file stays zero. Pages are writable. */
static int lkl_read_pages(struct mm_struct *mm, struct file *file, unsigned long start,
		unsigned long end, pgoff_t pgoff)
{
	loff_t pos = (loff_t)pgoff << PAGE_SHIFT;
	void *buf = kmalloc(min(end - start, LKL_READ_CHUNK), GFP_KERNEL);
	int err = 0;

	if (!buf)
		return -ENOMEM;
	while (start < end) {
		ssize_t n = kernel_read(file, buf, min(end - start, LKL_READ_CHUNK), &pos);

		if (n <= 0) {
			err = n;
			break;
		}
		if (host_mm_access(mm->context.id, start, buf, n, 1)) {
			err = -EFAULT;
			break;
		}
		start += n;
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		cond_resched();
	}
	kfree(buf);
	return err;
}

/*
 * Fresh pages in a range that @flags and perhaps @file describe. The file is
 * read while they are writable, whatever the program may do with them.
 */
int lkl_fill(struct mm_struct *mm, unsigned long start, unsigned long end,
	     vm_flags_t flags, struct file *file, pgoff_t pgoff)
{
	u32 prot = lkl_host_prot(flags), first = file ? lkl_host_prot(VM_WRITE) : prot;
	int err = host_mm_map(mm->context.id, start, end - start, first);

	if (err)
		return err;
	if (file)
		err = lkl_read_pages(mm, file, start, end, pgoff);
	if (!err && first != prot)
		err = host_mm_protect(mm->context.id, start, end - start, prot);
	if (err)
		host_mm_unmap(mm->context.id, start, end - start);
	return err;
}

/* Nothing is mapped in the range. */
int lkl_map_fresh(struct mm_struct *mm, unsigned long start, unsigned long end,
		  vm_flags_t flags, struct file *file, pgoff_t pgoff)
{
	int err;

	if (!lkl_may_expand(mm, flags, (end - start) >> PAGE_SHIFT))
		return -ENOMEM;
	err = lkl_fill(mm, start, end, flags, file, pgoff);
	if (err)
		return err;
	err = lkl_vma_add(mm, start, end, flags, file, pgoff);
	if (err)
		host_mm_unmap(mm->context.id, start, end - start);
	return err;
}

static long lkl_place(struct mm_struct *mm, unsigned long addr, unsigned long len,
		      unsigned long flags)
{
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (offset_in_page(addr))
			return -EINVAL;
		if (addr < LKL_USER_BASE)
			return -EPERM;
		if (len > LKL_USER_END || addr > LKL_USER_END - len)
			return -ENOMEM;
		if (flags & MAP_FIXED_NOREPLACE &&
		    find_vma_intersection(mm, addr, addr + len))
			return -EEXIST;
		return addr;
	}
	addr = PAGE_ALIGN(addr);
	if (addr >= LKL_USER_BASE && len <= mm->mmap_base &&
	    addr <= mm->mmap_base - len &&
	    !find_vma_intersection(mm, addr, addr + len))
		return addr;
	return lkl_find_gap(mm, len);
}

/* The checks of mm/mmap.c, and which kinds of sharing cannot be had. */
static int lkl_file_flags(struct file *file, unsigned long flags, vm_flags_t *vm_flags)
{
	if (!file->f_op->mmap)
		return -ENODEV;
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (path_noexec(&file->f_path)) {
		if (*vm_flags & VM_EXEC)
			return -EPERM;
		*vm_flags &= ~VM_MAYEXEC;
	}
	if (flags & MAP_SHARED) {
		if (*vm_flags & VM_WRITE) {
			if (!(file->f_mode & FMODE_WRITE))
				return -EACCES;
			pr_warn_once("%s[%d]: writable shared mappings are not supported\n",
				     current->comm, task_pid_nr(current));
			return -ENODEV;
		}
		*vm_flags |= VM_MAYSHARE;
		*vm_flags &= ~VM_MAYWRITE;
	}
	return 0;
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
	if (type == MAP_SHARED_VALIDATE && flags & ~LEGACY_MAP_MASK)
		return -EOPNOTSUPP;

	vm_flags |= calc_vm_prot_bits(prot, 0) | calc_vm_flag_bits(file, flags) |
		    VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	/* Nothing grows by itself and nothing can be paged out. */
	vm_flags &= ~(VM_GROWSDOWN | VM_LOCKED);
	if (file) {
		err = lkl_file_flags(file, flags, &vm_flags);
		if (err)
			return err;
	} else if (flags & MAP_SHARED) {
		pr_warn_once("%s[%d]: shared anonymous memory is not supported\n",
			     current->comm, task_pid_nr(current));
		return -ENODEV;
	}

	start = lkl_place(mm, addr, len, flags);
	if (IS_ERR_VALUE(start))
		return start;
	err = lkl_unmap(mm, start, start + len);
	if (!err)
		err = lkl_map_fresh(mm, start, start + len, vm_flags, file, pgoff);
	return err ?: start;
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
