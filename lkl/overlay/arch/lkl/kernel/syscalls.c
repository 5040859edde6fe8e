// SPDX-License-Identifier: GPL-2.0
/* The system call table: every entry has one wasm type. */
#include <linux/syscalls.h>
#include <linux/unistd.h>
#include <asm/syscall.h>

/* sys_ni_syscall() takes no argument, which would be another type. */
long __lkl_sys_ni_syscall(const struct pt_regs *regs);
long __lkl_sys_ni_syscall(const struct pt_regs *regs)
{
	return -ENOSYS;
}

#undef __SYSCALL
#define __SYSCALL_WITH_COMPAT(nr, native, compat) __SYSCALL(nr, native)

#define __SYSCALL(nr, call) extern long __lkl_##call(const struct pt_regs *regs);
#include <asm/syscall_table_32.h>
#undef __SYSCALL

#define __SYSCALL(nr, call) [nr] = __lkl_##call,
const sys_call_ptr_t sys_call_table[__NR_syscalls] = {
	[0 ... __NR_syscalls - 1] = __lkl_sys_ni_syscall,
#include <asm/syscall_table_32.h>
};
