// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/machine: the guest's init speaks to whoever runs the machine. One verb
 * a write: "ready" says that the boot scripts are done, "shutdown" that the
 * processes are about to be ended for good. "warn" and "fault" are for whoever
 * wants to see what the kernel says of a bug of its own; /proc/sysrq-trigger
 * has the panic.
 */
#include <linux/bug.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/miscdevice.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/lkl_host.h>

#define LKL_VERB_MAX 32
#define LKL_NOWHERE 8UL		/* a member of a structure at NULL */

static ssize_t lkl_machine_write(struct file *file, const char __user *text,
				 size_t count, loff_t *pos)
{
	char verb[LKL_VERB_MAX];

	if (count >= sizeof(verb))
		return -EINVAL;
	if (copy_from_user(verb, text, count))
		return -EFAULT;
	verb[count] = '\0';
	if (!strcmp(strim(verb), "ready"))
		host_ready();
	else if (!strcmp(strim(verb), "shutdown"))
		host_shutting_down();
	else if (!strcmp(strim(verb), "warn"))
		WARN(1, "asked for by %s\n", current->comm);
	else if (!strcmp(strim(verb), "fault"))
		WRITE_ONCE(*(int *)LKL_NOWHERE, 0);
	else
		return -EINVAL;
	return count;
}

static const struct file_operations lkl_machine_fops = {
	.write	= lkl_machine_write,
	.llseek	= noop_llseek,
};

static struct miscdevice lkl_machine = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "machine",
	.fops	= &lkl_machine_fops,
	.mode	= 0200,
};
builtin_misc_device(lkl_machine);
