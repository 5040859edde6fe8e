// SPDX-License-Identifier: GPL-2.0
/* What /proc says about a process's memory: see fs/proc/task_nommu.c. */
#include <linux/mm.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include "lkl_mm.h"

/*
 * Pages the host really holds. Nobody tells us when a page is touched, so the
 * count that /proc/PID/stat reads is brought up to date when it is asked for.
 */
unsigned long lkl_mm_resident(struct mm_struct *mm)
{
	long pages = host_mm_resident(mm->context.id, LKL_USER_BASE,
				      LKL_USER_END - LKL_USER_BASE) >> PAGE_SHIFT;

	percpu_counter_set(&mm->rss_stat[MM_ANONPAGES], pages);
	update_hiwater_rss(mm);
	return pages;
}

static void lkl_seq_kb(struct seq_file *m, const char *name, unsigned long pages)
{
	seq_printf(m, "%s:\t%8lu kB\n", name, pages << (PAGE_SHIFT - 10));
}

void task_mem(struct seq_file *m, struct mm_struct *mm)
{
	unsigned long rss = lkl_mm_resident(mm);

	lkl_seq_kb(m, "VmPeak", max(mm->hiwater_vm, mm->total_vm));
	lkl_seq_kb(m, "VmSize", mm->total_vm);
	lkl_seq_kb(m, "VmLck", 0);
	lkl_seq_kb(m, "VmPin", 0);
	lkl_seq_kb(m, "VmHWM", max(mm->hiwater_rss, rss));
	lkl_seq_kb(m, "VmRSS", rss);
	lkl_seq_kb(m, "RssAnon", rss);
	lkl_seq_kb(m, "RssFile", 0);
	lkl_seq_kb(m, "RssShmem", 0);
	lkl_seq_kb(m, "VmData", mm->data_vm);
	lkl_seq_kb(m, "VmStk", mm->stack_vm);
	lkl_seq_kb(m, "VmExe", 0);
	lkl_seq_kb(m, "VmLib", 0);
	lkl_seq_kb(m, "VmPTE", 0);
	lkl_seq_kb(m, "VmSwap", 0);
}

/* /proc/PID/stat asks for this just before the resident count. */
unsigned long task_vsize(struct mm_struct *mm)
{
	lkl_mm_resident(mm);
	return PAGE_SIZE * mm->total_vm;
}

unsigned long task_statm(struct mm_struct *mm, unsigned long *shared, unsigned long *text,
			 unsigned long *data, unsigned long *resident)
{
	*shared = 0;
	*text = 0;
	*data = mm->data_vm + mm->stack_vm;
	*resident = lkl_mm_resident(mm);
	return mm->total_vm;
}
