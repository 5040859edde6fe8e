// SPDX-License-Identifier: GPL-2.0
/*
 * Boot. The host has put the command line and the initrd into memory and
 * calls lkl_start() on the boot task's kernel stack.
 *
 *  0        64 KiB          heap base              initrd       mem
 *  | -      | data, bss     | free ............... | initrd | free |
 */
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/seq_file.h>
#include <linux/start_kernel.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <asm/lkl_exec.h>
#include <asm/lkl_host.h>
#include <asm/setup.h>
#include <asm/thread_info.h>
#include "lkl.h"

extern char __heap_base[];

unsigned long memory_start, memory_end;
void *empty_zero_page;
struct task_struct *lkl_current = &init_task;

unsigned long init_stack[THREAD_SIZE / sizeof(unsigned long)] __aligned(THREAD_SIZE);

static char lkl_command_line[COMMAND_LINE_SIZE];
static unsigned long lkl_initrd_start, lkl_initrd_size;

void *lkl_cmdline(void)
{
	return lkl_command_line;
}

void *lkl_heap_base(void)
{
	return (void *)PAGE_ALIGN((unsigned long)__heap_base);
}

void *lkl_init_sp(void)
{
	return (void *)init_stack + THREAD_SIZE;
}

void lkl_start(unsigned int mem, void *initrd, unsigned int initrd_size)
{
	memory_end = mem & PAGE_MASK;
	lkl_initrd_start = (unsigned long)initrd;
	lkl_initrd_size = initrd_size;
	start_kernel();
}

static void __init lkl_reserve_initrd(void)
{
#ifdef CONFIG_BLK_DEV_INITRD
	if (!lkl_initrd_size)
		return;
	memblock_reserve(lkl_initrd_start, lkl_initrd_size);
	initrd_start = lkl_initrd_start;
	initrd_end = lkl_initrd_start + lkl_initrd_size;
#endif
}

void __init setup_arch(char **cmdline_p)
{
	unsigned long zones[MAX_NR_ZONES] = { };

	lkl_command_line[COMMAND_LINE_SIZE - 1] = '\0';
	strscpy(boot_command_line, lkl_command_line, COMMAND_LINE_SIZE);
	*cmdline_p = lkl_command_line;

	lkl_console_init();
	lkl_user_init();

	memory_start = (unsigned long)lkl_heap_base();
	memblock_add(0, memory_end);
	memblock_reserve(0, memory_start);
	lkl_reserve_initrd();

	min_low_pfn = 0;
	max_low_pfn = max_pfn = PFN_DOWN(memory_end);
	set_max_mapnr(max_pfn);
	high_memory = (void *)memory_end;
	setup_initial_init_mm(NULL, (void *)memory_start, (void *)memory_start,
			      (void *)memory_start);

	parse_early_param();

	zones[ZONE_NORMAL] = max_pfn;
	free_area_init(zones);
	empty_zero_page = memblock_alloc(PAGE_SIZE, PAGE_SIZE);
	if (!empty_zero_page)
		panic("no memory for the zero page");

	/* Delays go by the clock: see lib/delay.c. */
	loops_per_jiffy = 1000000;
}

void __init mem_init(void)
{
	memblock_free_all();
}

/* Init data stands between other data; it is a few tens of kilobytes. */
void free_initmem(void)
{
}

void __init calibrate_delay(void)
{
}

void __init arch_cpu_finalize_init(void)
{
}

static int show_cpuinfo(struct seq_file *m, void *v)
{
	seq_puts(m, "processor\t: 0\nmodel name\t: wasm32\n");
	return 0;
}

static void *cpuinfo_start(struct seq_file *m, loff_t *pos)
{
	return *pos < 1 ? (void *)1 : NULL;
}

static void *cpuinfo_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return NULL;
}

static void cpuinfo_stop(struct seq_file *m, void *v)
{
}

const struct seq_operations cpuinfo_op = {
	.start	= cpuinfo_start,
	.next	= cpuinfo_next,
	.stop	= cpuinfo_stop,
	.show	= show_cpuinfo,
};
