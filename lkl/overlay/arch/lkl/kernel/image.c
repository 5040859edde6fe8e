// SPDX-License-Identifier: GPL-2.0
/*
 * An image: the memory of a machine that has its root file system and waits for nothing.
 * Where a function has to be compiled before it runs for the first time (a browser),
 * what comes before is most of a boot; lkl_resume() goes on behind it.
 *
 *  lkl_start(), lkl.image ─► initcalls, initramfs ─► every task sleeps
 *                                                      └─► host_halt(LKL_HALT_IMAGE)
 *  lkl_resume() ◄──────────────────────────────────────────┘ memory
 *    └─► init wakes up ─► arch_init_user() ─► its program
 *
 * Stacks are the host's and not in the image. A kernel thread that is woken begins
 * again at its function, as all of them are loops that sleep at their beginning; on the
 * shadow stack it does so below the frames it had, to which a wait queue or a timer may
 * still point. Another initrd may come, into room that the image keeps for it.
 */
#include <linux/async.h>
#include <linux/bitmap.h>
#include <linux/console.h>
#include <linux/cpu.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/tick.h>
#include <linux/timekeeping.h>
#include <asm/lkl_exec.h>
#include <asm/lkl_host.h>
#include <asm/setup.h>
#include "../drivers/lkl_drivers.h"
#include "../mm/lkl_mm.h"
#include "lkl.h"

/* The largest initrd of a machine with 64 MiB (engine/machine.ts). */
#define LKL_ROOM	(24UL << 20)
#define LKL_BLOCK	(PAGE_SIZE << MAX_PAGE_ORDER)
#define LKL_ROOM_BLOCKS	(LKL_ROOM / LKL_BLOCK)

static bool lkl_image_wanted;
/* init, which sleeps in an image. */
static struct task_struct *lkl_image_init;

static int __init lkl_want_image(char *unused)
{
	lkl_image_wanted = true;
	return 0;
}
early_param("lkl.image", lkl_want_image);

/*
 * Takes blocks until there are enough in a row: what depends on the size of memory was
 * computed with them. They are held like an initrd that was there from the start.
 */
static void __init lkl_make_room(void)
{
	DECLARE_BITMAP(others, SZ_4G / LKL_BLOCK);
	unsigned long n, room, blocks = memory_end / LKL_BLOCK;
	struct page *page;

	bitmap_fill(others, blocks);
	do {
		page = alloc_pages(__GFP_NOWARN, MAX_PAGE_ORDER);
		if (!page)
			panic("image: no room for an initrd");
		__clear_bit(page_to_pfn(page) >> MAX_PAGE_ORDER, others);
		room = bitmap_find_next_zero_area(others, blocks, 0, LKL_ROOM_BLOCKS, 0);
	} while (room >= blocks);
	bitmap_set(others, room, LKL_ROOM_BLOCKS);
	for_each_clear_bit(n, others, blocks)
		free_pages(n * LKL_BLOCK, MAX_PAGE_ORDER);
	initrd_start = room * LKL_BLOCK;
	initrd_end = initrd_start + LKL_ROOM;
	for (n = initrd_start; n < initrd_end; n += PAGE_SIZE)
		mark_page_reserved(virt_to_page((void *)n));
}

void *lkl_room_end(void)
{
	return (void *)initrd_end;
}

/* In init. */
void __init arch_initcalls_done(void)
{
	if (!lkl_image_wanted)
		return;
	populate_rootfs();
	wait_for_initramfs();
	async_synchronize_full();
	lkl_make_room();
	current->thread.fn = kernel_init_user;
	lkl_image_init = current;
	for (;;) {
		set_current_state(TASK_IDLE);
		schedule();
	}
}

/* What was in memory that is free again need not be in the image: of slabs ... */
static int __init lkl_clear_what_is_freed(void)
{
	if (lkl_image_wanted)
		static_branch_enable(&init_on_free);
	return 0;
}
early_initcall(lkl_clear_what_is_freed);

/* ... and pages, nor the lists of one, that were made when it had nobody. */
static void lkl_clear_pages(struct page *page, unsigned long pages)
{
	memset(page_address(page), 0, pages * PAGE_SIZE);
	while (--pages)
		memset(&page[pages].lru, 0, sizeof(page->lru));
}

static void lkl_clear_free_pages(void)
{
	unsigned int order, type;
	struct zone *zone;
	struct page *page;

	drain_all_pages(NULL);
	for_each_populated_zone(zone)
		for_each_migratetype_order(order, type)
			list_for_each_entry(page, &zone->free_area[order].free_list[type],
					    buddy_list)
				lkl_clear_pages(page, 1UL << order);
	lkl_clear_pages(virt_to_page((void *)initrd_start), LKL_ROOM / PAGE_SIZE);
}

void lkl_image_idle(void)
{
	struct task_struct *p, *t;

	if (likely(!lkl_image_init) || lkl_irq_pending())
		return;
	for_each_process_thread(p, t) {
		unsigned int state = READ_ONCE(t->__state);

		if (state & TASK_UNINTERRUPTIBLE && !(state & TASK_NOLOAD))
			panic("image: %s cannot begin again", t->comm);
	}
	lkl_clear_free_pages();
	host_halt(LKL_HALT_IMAGE);
}

static int lkl_begin_again(void *unused)
{
	int (*fn)(void *) = kthread_func(current);

	kthread_exit(fn(kthread_data(current)));
}

static void __init lkl_resume_task(struct task_struct *p)
{
	unsigned long sp = p->thread.sp & ~15UL;

	if (p == lkl_image_init)
		sp = (unsigned long)task_stack_page(p) + THREAD_SIZE;
	else if (kthread_func(p))
		p->thread.fn = lkl_begin_again;
	p->thread.host = host_task_new(p, sp, LKL_TASK_KERNEL, 0, 0, 0);
	if (p->thread.host <= 0)
		panic("image: no host task for %s", p->comm);
}

/* What the host has put where the image has kept room; the rest of that is free. */
static void __init lkl_resume_initrd(unsigned long initrd, unsigned long size)
{
	if (initrd < initrd_start || PAGE_ALIGN(initrd + size) != initrd_end)
		panic("image: an initrd at %lx, and its room is to %lx", initrd, initrd_end);
	free_reserved_area((void *)initrd_start, (void *)initrd, -1, NULL);
	/* Whole pages: it ends with the room. */
	initrd_start = initrd;
	initrd_end = initrd + size;
}

/*
 * Like lkl_start(), and on the same stack: that of the idle task, which was idle. The
 * host's clock goes on from what it was.
 */
void __init lkl_resume(void *initrd, unsigned int initrd_size)
{
	struct task_struct *p, *t;

	static_branch_disable(&init_on_free);
	lkl_resume_initrd((unsigned long)initrd, initrd_size);
	for_each_process_thread(p, t)
		lkl_resume_task(t);
	wake_up_process(lkl_image_init);
	/* The host has no timer; this sets one, after what is due. */
	host_irq_raise(LKL_IRQ_TIMER);
	tick_nohz_idle_exit();
	cpu_startup_entry(CPUHP_ONLINE);
}

/* Of what the image's machine had of its host, the new one has something else. */
static void __init lkl_image_new_host(void)
{
	struct timespec64 now;

	lkl_image_init = NULL;
	saved_command_line = lkl_cmdline();
	saved_command_line_len = strlen(saved_command_line);
	lkl_set_user_memory(saved_command_line);
	lkl_user_init();
	read_persistent_clock64(&now);
	do_settimeofday64(&now);
	/* From the host's entropy; what was drawn before counts no more. */
	WARN_ON(random_fops.unlocked_ioctl(NULL, RNDRESEEDCRNG, 0));
	lkl_console_replay();
	pr_info("goes on from an image: %s\n", saved_command_line);
}

/* In init, before there is a user. */
void __init arch_init_user(void)
{
	bool goes_on = lkl_image_init;

	if (goes_on)
		lkl_image_new_host();
	if (!goes_on || initrd_start < initrd_end)
		populate_rootfs();
	lkl_disk_init();
	lkl_job_init();
}
