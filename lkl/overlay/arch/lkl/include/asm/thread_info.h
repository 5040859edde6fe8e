/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_THREAD_INFO_H
#define _ASM_LKL_THREAD_INFO_H

/*
 * What a function keeps in wasm locals is on the host's stack; this one holds
 * only what has an address. Of ext4 over loop over overlayfs, network, fuzzing
 * and all guest tests, 2.4 KiB were the most.
 */
#define THREAD_SIZE_ORDER	1
#define THREAD_SIZE		(4096UL << THREAD_SIZE_ORDER)

/*
 * kernel/fork.c: of how many bytes of memory there may be one thread. Process
 * memory is the host's, so that most of the kernel's may be task structures: a
 * process takes about 22 KiB, of which 8 KiB are its stack.
 */
#define ARCH_BYTES_PER_THREAD	(48UL << 10)

#ifndef __ASSEMBLY__
struct thread_info {
	unsigned long flags;
	int preempt_count;
};

#define INIT_THREAD_INFO(tsk)			\
{						\
	.flags = 0,				\
	.preempt_count = INIT_PREEMPT_COUNT,	\
}

extern void lkl_cpu_relax(void);

/* Only an interrupt sets the flag, and none comes by itself. */
#define tif_need_resched()			\
({						\
	lkl_cpu_relax();			\
	test_thread_flag(TIF_NEED_RESCHED);	\
})
#endif

#define TIF_SYSCALL_TRACE	0
#define TIF_NOTIFY_RESUME	1
#define TIF_SIGPENDING		2
#define TIF_NEED_RESCHED	3
#define TIF_RESTORE_SIGMASK	4
#define TIF_NOTIFY_SIGNAL	5
#define TIF_SYSCALL_AUDIT	6
#define TIF_SECCOMP		7
#define TIF_SINGLESTEP		8
#define TIF_SYSCALL_RESTART	9	/* rt_sigreturn: the interrupted call runs again */
#define TIF_HOST_TRACE		10	/* the host wants to see what the task does */
#define TIF_MEMDIE		17

#define _TIF_SYSCALL_TRACE	(1 << TIF_SYSCALL_TRACE)
#define _TIF_NOTIFY_RESUME	(1 << TIF_NOTIFY_RESUME)
#define _TIF_SIGPENDING		(1 << TIF_SIGPENDING)
#define _TIF_NEED_RESCHED	(1 << TIF_NEED_RESCHED)
#define _TIF_NOTIFY_SIGNAL	(1 << TIF_NOTIFY_SIGNAL)
#define _TIF_SYSCALL_AUDIT	(1 << TIF_SYSCALL_AUDIT)
#define _TIF_SECCOMP		(1 << TIF_SECCOMP)
#define _TIF_SYSCALL_RESTART	(1 << TIF_SYSCALL_RESTART)
#define _TIF_HOST_TRACE		(1 << TIF_HOST_TRACE)

/* Before a system call. */
#define _TIF_ENTRY_WORK		(_TIF_SYSCALL_TRACE | _TIF_SYSCALL_AUDIT | _TIF_SECCOMP | \
				 _TIF_HOST_TRACE)
/* Before user code runs again. */
#define _TIF_EXIT_WORK		(_TIF_NEED_RESCHED | _TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL | \
				 _TIF_NOTIFY_RESUME | _TIF_SYSCALL_RESTART)

#endif
