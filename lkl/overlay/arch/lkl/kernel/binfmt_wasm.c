// SPDX-License-Identifier: GPL-2.0
/*
 * Programs are WebAssembly modules whose code the host has compiled ahead of
 * time. The first section of a module names that code:
 *
 *  "\0asm" 1  | 0 size 11 "linux.image" | "WLI1" data_start data_end flags id
 *
 * The file is whatever somebody wrote: nothing in it is trusted before it has
 * been checked, and exec reads no more than its first BINPRM_BUF_SIZE bytes.
 */
#include <linux/binfmts.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <asm/lkl_exec.h>
#include <asm/lkl_host.h>
#include <asm/processor.h>
#include "lkl.h"

static const u8 lkl_wasm_magic[8] = "\0asm\1\0\0\0";
static const char lkl_section_name[] = "linux.image";
static const char lkl_image_magic[4] = { 'W', 'L', 'I', '1' };

struct lkl_bytes {
	const u8 *at, *end;
};

static bool lkl_take(struct lkl_bytes *b, const void *what, size_t n)
{
	if (b->end - b->at < n || memcmp(b->at, what, n))
		return false;
	b->at += n;
	return true;
}

static bool lkl_take_leb(struct lkl_bytes *b, u32 *value)
{
	int shift;

	*value = 0;
	for (shift = 0; shift < 35 && b->at < b->end; shift += 7) {
		u8 byte = *b->at++;

		*value |= (u32)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool lkl_take_u32(struct lkl_bytes *b, u32 *value)
{
	if (b->end - b->at < sizeof(u32))
		return false;
	*value = get_unaligned_le32(b->at);
	b->at += sizeof(u32);
	return true;
}

/* Why the module cannot run, or NULL. */
static const char *lkl_parse_image(const void *buf, size_t len, struct lkl_image *image)
{
	struct lkl_bytes b = { buf, buf + len };
	u32 size, name, flags;

	if (!lkl_take(&b, lkl_wasm_magic, sizeof(lkl_wasm_magic)))
		return "not version 1 of WebAssembly";
	if (!lkl_take(&b, "\0", 1) || !lkl_take_leb(&b, &size) || !lkl_take_leb(&b, &name) ||
	    name != sizeof(lkl_section_name) - 1 || !lkl_take(&b, lkl_section_name, name) ||
	    !lkl_take(&b, lkl_image_magic, sizeof(lkl_image_magic)))
		return "no linux.image section at its start";
	if (!lkl_take_u32(&b, &image->data_start) || !lkl_take_u32(&b, &image->data_end) ||
	    !lkl_take_u32(&b, &flags) || b.end - b.at < LKL_BUILD_ID_SIZE)
		return "its linux.image section is truncated";
	memcpy(image->build_id, b.at, LKL_BUILD_ID_SIZE);
	if (flags)
		return "it was made for a later kernel";
	if (image->data_start < LKL_USER_BASE || image->data_start > image->data_end ||
	    offset_in_page(image->data_end) || image->data_end > TASK_SIZE)
		return "its data lies outside the address space";
	return NULL;
}

static int lkl_refuse(struct linux_binprm *bprm, const char *why)
{
	pr_info_ratelimited("%s: cannot execute: %s\n", bprm->filename, why);
	return -ENOEXEC;
}

static int load_wasm(struct linux_binprm *bprm)
{
	struct lkl_image image;
	const char *why;
	unsigned long sp;
	int handle, err;

	if (memcmp(bprm->buf, lkl_wasm_magic, 4))
		return -ENOEXEC;
	why = lkl_parse_image(bprm->buf, BINPRM_BUF_SIZE, &image);
	if (why)
		return lkl_refuse(bprm, why);
	handle = host_image_find(image.build_id);
	if (handle <= 0)
		return lkl_refuse(bprm, "the host has no code for it; it was not built ahead of time");

	/* From here the old program is gone: an error kills the process. */
	err = begin_new_exec(bprm);
	if (err)
		return err;
	setup_new_exec(bprm);
	err = lkl_exec_mm(current->mm, &image, bprm->file, bprm->rlim_stack.rlim_cur);
	if (!err)
		err = host_image_load(current->mm->context.id, handle);
	if (!err)
		err = lkl_exec_stack(bprm, &sp);
	if (err)
		return err;
	finalize_exec(bprm);

	memset(current_pt_regs(), 0, sizeof(struct pt_regs));
	current_pt_regs()->nr = -1;
	current_pt_regs()->user = 1;
	current_pt_regs()->sp = sp;
	host_user_start(sp);
	return 0;
}

static struct linux_binfmt lkl_wasm_format = {
	.load_binary = load_wasm,
};

static int __init lkl_wasm_init(void)
{
	register_binfmt(&lkl_wasm_format);
	return 0;
}
core_initcall(lkl_wasm_init);
