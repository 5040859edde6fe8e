/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_ASM_LKL_SIGCONTEXT_H
#define _UAPI_ASM_LKL_SIGCONTEXT_H

#include <linux/types.h>

/* The interrupted call is made again when the handler has returned. */
#define SIGCONTEXT_RESTART 1

struct sigcontext {
	__u64 args[6];
	__s32 nr;		/* -1: no call was interrupted */
	__s32 ret;
	__u32 sp, tls, pc, flags;
};

#endif
