// SPDX-License-Identifier: GPL-2.0
/* What /proc says about a process's memory: see fs/proc/task_nommu.c. */
#include <linux/mm.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include "lkl_mm.h"

static void lkl_seq_kb(struct seq_file *m, const char *name, unsigned long pages)
{
	seq_printf(m, "%s:\t%8lu kB\n", name, pages << (PAGE_SHIFT - 10));
}

void task_mem(struct seq_file *m, struct mm_struct *mm)
{
	unsigned long anon = get_mm_counter(mm, MM_ANONPAGES);
	unsigned long file = get_mm_counter(mm, MM_FILEPAGES);
	unsigned long shmem = get_mm_counter(mm, MM_SHMEMPAGES);
	unsigned long rss = anon + file + shmem;

	lkl_seq_kb(m, "VmPeak", max(mm->hiwater_vm, mm->total_vm));
	lkl_seq_kb(m, "VmSize", mm->total_vm);
	lkl_seq_kb(m, "VmLck", mm->locked_vm);
	lkl_seq_kb(m, "VmPin", 0);
	lkl_seq_kb(m, "VmHWM", max(mm->hiwater_rss, rss));
	lkl_seq_kb(m, "VmRSS", rss);
	lkl_seq_kb(m, "RssAnon", anon);
	lkl_seq_kb(m, "RssFile", file);
	lkl_seq_kb(m, "RssShmem", shmem);
	lkl_seq_kb(m, "VmData", mm->data_vm);
	lkl_seq_kb(m, "VmStk", mm->stack_vm);
	lkl_seq_kb(m, "VmExe", 0);
	lkl_seq_kb(m, "VmLib", 0);
	lkl_seq_kb(m, "VmPTE", 0);
	lkl_seq_kb(m, "VmSwap", 0);
}

unsigned long task_vsize(struct mm_struct *mm)
{
	return PAGE_SIZE * mm->total_vm;
}

unsigned long task_statm(struct mm_struct *mm, unsigned long *shared, unsigned long *text,
			 unsigned long *data, unsigned long *resident)
{
	*shared = get_mm_counter(mm, MM_FILEPAGES) + get_mm_counter(mm, MM_SHMEMPAGES);
	*text = 0;
	*data = mm->data_vm + mm->stack_vm;
	*resident = *shared + get_mm_counter(mm, MM_ANONPAGES);
	return mm->total_vm;
}
