// SPDX-License-Identifier: GPL-2.0
/*
 * ptrace without registers: memory, signals and the system call a tracee is
 * in. User code runs as compiled code of the host; there is nothing to step.
 */
#include <linux/elf.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched.h>
#include <asm/ptrace.h>

static int lkl_regs_get(struct task_struct *target, const struct user_regset *regset,
			struct membuf to)
{
	const struct pt_regs *regs = task_pt_regs(target);
	struct user_regs_struct user = {
		.nr	= regs->nr,
		.ret	= regs->ret,
		.sp	= regs->sp,
		.tls	= regs->tls,
		.pc	= regs->pc,
	};

	memcpy(user.args, regs->args, sizeof(user.args));
	return membuf_write(&to, &user, sizeof(user));
}

static int lkl_regs_set(struct task_struct *target, const struct user_regset *regset,
			unsigned int pos, unsigned int count,
			const void *kbuf, const void __user *ubuf)
{
	return -EIO;
}

static const struct user_regset lkl_regsets[] = {
	{
		.core_note_type	= NT_PRSTATUS,
		.n		= sizeof(struct user_regs_struct) / sizeof(u32),
		.size		= sizeof(u32),
		.align		= sizeof(u32),
		.regset_get	= lkl_regs_get,
		.set		= lkl_regs_set,
	},
};

static const struct user_regset_view lkl_regset_view = {
	.name		= "wasm32",
	.e_machine	= EM_NONE,
	.regsets	= lkl_regsets,
	.n		= ARRAY_SIZE(lkl_regsets),
};

const struct user_regset_view *task_user_regset_view(struct task_struct *task)
{
	return &lkl_regset_view;
}

void ptrace_disable(struct task_struct *child)
{
}

long arch_ptrace(struct task_struct *child, long request,
		 unsigned long addr, unsigned long data)
{
	return ptrace_request(child, request, addr, data);
}
