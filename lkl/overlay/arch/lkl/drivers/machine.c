// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/machine: the guest's init speaks to whoever runs the machine. One verb
 * a write: "ready" says that the boot scripts are done, "shutdown" that the
 * processes are about to be ended for good.
 */
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/miscdevice.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/lkl_host.h>

#define LKL_VERB_MAX 32

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
