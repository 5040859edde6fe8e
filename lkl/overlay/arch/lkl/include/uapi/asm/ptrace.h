/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_ASM_LKL_PTRACE_H
#define _UAPI_ASM_LKL_PTRACE_H

#ifndef __ASSEMBLY__
#include <linux/types.h>

/* PTRACE_GETREGSET, NT_PRSTATUS: the system call the tracee is in. */
struct user_regs_struct {
	__u64 args[6];
	__s32 nr;
	__s32 ret;
	__u32 sp, tls, pc, flags;
};
#endif

#endif
