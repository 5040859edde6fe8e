// SPDX-License-Identifier: GPL-2.0
/* Another process's memory: /proc/PID/{mem,cmdline,environ}, ptrace. */
#include <linux/mm.h>
#include "lkl_mm.h"

/* How many bytes were copied. ptrace may write what the owner may not. */
int lkl_access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf, int len, int write)
{
	vm_flags_t need = write ? VM_MAYWRITE : VM_MAYREAD;
	int done = 0;

	if (mmap_read_lock_killable(mm))
		return 0;
	while (done < len) {
		struct vm_area_struct *vma = vma_lookup(mm, addr);
		u32 n, left;

		if (!vma || !(vma->vm_flags & need))
			break;
		n = min((unsigned long)(len - done), vma->vm_end - addr);
		left = host_mm_access(mm->context.id, addr, buf + done, n, write);
		done += n - left;
		addr += n - left;
		if (left && lkl_fault(vma, addr, write))
			break;
	}
	mmap_read_unlock(mm);
	return done;
}
