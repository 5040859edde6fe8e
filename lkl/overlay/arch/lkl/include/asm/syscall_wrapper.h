/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_SYSCALL_WRAPPER_H
#define _ASM_LKL_SYSCALL_WRAPPER_H

/*
 * wasm checks a function's type at an indirect call, so every system call
 * gets one: long f(const struct pt_regs *). A 64-bit argument takes one slot.
 */
#include <asm/ptrace.h>

#define __LKL_REGS_ARGS(x, ...) __MAP(x, __SC_ARGS			\
	, , regs->args[0], , regs->args[1], , regs->args[2]		\
	, , regs->args[3], , regs->args[4], , regs->args[5])

#define __SYSCALL_DEFINEx(x, name, ...)					\
	long __lkl_sys##name(const struct pt_regs *regs);		\
	static inline long __se_sys##name(__MAP(x, __SC_LONG, __VA_ARGS__)); \
	static inline long __do_sys##name(__MAP(x, __SC_DECL, __VA_ARGS__)); \
	long __lkl_sys##name(const struct pt_regs *regs)		\
	{								\
		return __se_sys##name(__LKL_REGS_ARGS(x, __VA_ARGS__));	\
	}								\
	static inline long __se_sys##name(__MAP(x, __SC_LONG, __VA_ARGS__)) \
	{								\
		long ret = __do_sys##name(__MAP(x, __SC_CAST, __VA_ARGS__)); \
									\
		__MAP(x, __SC_TEST, __VA_ARGS__);			\
		return ret;						\
	}								\
	static inline long __do_sys##name(__MAP(x, __SC_DECL, __VA_ARGS__))

#define SYSCALL_DEFINE0(sname)						\
	SYSCALL_METADATA(_##sname, 0);					\
	long __lkl_sys_##sname(const struct pt_regs *__unused);		\
	long __lkl_sys_##sname(const struct pt_regs *__unused)

#define COND_SYSCALL(name)						\
	long __lkl_sys_##name(const struct pt_regs *__unused);		\
	long __weak __lkl_sys_##name(const struct pt_regs *__unused)	\
	{								\
		return sys_ni_syscall();				\
	}

#define COND_SYSCALL_COMPAT(name)

#endif
