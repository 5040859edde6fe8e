// SPDX-License-Identifier: GPL-2.0
/*
 * What a new program finds on its stack, as for ELF:
 *
 *  sp -> argc, argv..., NULL, envp..., NULL, auxv..., AT_NULL
 *        16 random bytes
 *        strings of argv, envp and the file name
 */
#include <linux/auxvec.h>
#include <linux/binfmts.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "lkl.h"

#define LKL_RANDOM_BYTES	16
#define LKL_STACK_ALIGN		16UL

static u32 *lkl_auxv(u32 *at, struct linux_binprm *bprm, u32 random)
{
	const struct cred *cred = current_cred();
	const u32 auxv[] = {
		AT_HWCAP,	0,
		AT_PAGESZ,	PAGE_SIZE,
		AT_CLKTCK,	CLOCKS_PER_SEC,
		AT_FLAGS,	0,
		AT_UID,		from_kuid_munged(cred->user_ns, cred->uid),
		AT_EUID,	from_kuid_munged(cred->user_ns, cred->euid),
		AT_GID,		from_kgid_munged(cred->user_ns, cred->gid),
		AT_EGID,	from_kgid_munged(cred->user_ns, cred->egid),
		AT_SECURE,	bprm->secureexec,
		AT_RANDOM,	random,
		AT_EXECFN,	bprm->exec,
		AT_NULL,	0,
	};

	BUILD_BUG_ON(sizeof(auxv) > sizeof(current->mm->saved_auxv));
	memcpy(current->mm->saved_auxv, auxv, sizeof(auxv));
	memcpy(at, auxv, sizeof(auxv));
	return at + ARRAY_SIZE(auxv);
}

/* Addresses of @n strings that lie one behind the other from @str on. */
static u32 *lkl_pointers(u32 *at, int n, unsigned long *str)
{
	while (n-- > 0) {
		long len = strnlen_user((void __user *)*str, MAX_ARG_STRLEN);

		if (len <= 0 || len > MAX_ARG_STRLEN)
			return NULL;
		*at++ = *str;
		*str += len;
	}
	*at++ = 0;
	return at;
}

static u32 *lkl_fill(u32 *at, struct linux_binprm *bprm, unsigned long str, u32 random)
{
	struct mm_struct *mm = current->mm;

	*at++ = bprm->argc;
	mm->arg_start = str;
	at = lkl_pointers(at, bprm->argc, &str);
	mm->arg_end = mm->env_start = str;
	if (at)
		at = lkl_pointers(at, bprm->envc, &str);
	mm->env_end = str;
	return at ? lkl_auxv(at, bprm, random) : NULL;
}

int lkl_exec_stack(struct linux_binprm *bprm, unsigned long *stack)
{
	u8 random[LKL_RANDOM_BYTES];
	unsigned long strings = current->mm->start_stack, words, sp;
	u32 *table, *end;
	int err;

	/* exec has checked that strings and pointers fit the stack's limit. */
	err = transfer_args_to_stack(bprm, &strings);
	if (err)
		return err;
	get_random_bytes(random, sizeof(random));
	sp = (strings & ~(LKL_STACK_ALIGN - 1)) - sizeof(random);
	if (copy_to_user((void __user *)sp, random, sizeof(random)))
		return -EFAULT;

	words = 1 + bprm->argc + 1 + bprm->envc + 1 + AT_VECTOR_SIZE;
	table = kvmalloc_array(words, sizeof(u32), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	end = lkl_fill(table, bprm, strings, sp);
	err = -EFAULT;
	if (end) {
		size_t size = (void *)end - (void *)table;

		sp = (sp - size) & ~(LKL_STACK_ALIGN - 1);
		if (!copy_to_user((void __user *)sp, table, size)) {
			current->mm->start_stack = sp;
			*stack = sp;
			err = 0;
		}
	}
	kvfree(table);
	return err;
}
