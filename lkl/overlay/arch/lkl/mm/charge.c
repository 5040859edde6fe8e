// SPDX-License-Identifier: GPL-2.0
/*
 * What processes have of the machine's memory. Their pages are the host's: the
 * page allocator does not know them, so they are counted here when they are
 * mapped, for the process (RSS), its cgroup and the whole machine. Whoever
 * wants more than there is makes the OOM killer look for the largest process.
 */
#include <linux/init.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <trace/events/kmem.h>
#include "lkl_mm.h"

#define LKL_USER_MEMORY "lkl.user_memory"

static unsigned long lkl_limit = (1UL << 30) >> PAGE_SHIFT;
static unsigned long lkl_used;

static int __init lkl_set_limit(char *arg)
{
	lkl_limit = memparse(arg, NULL) >> PAGE_SHIFT;
	return 0;
}
early_param(LKL_USER_MEMORY, lkl_set_limit);

void __init lkl_set_user_memory(char *command_line)
{
	char *at = strstr(command_line, LKL_USER_MEMORY "=");

	if (at)
		lkl_set_limit(at + sizeof(LKL_USER_MEMORY));
}

unsigned long user_totalram_pages(void)
{
	return lkl_limit;
}

unsigned long user_freeram_pages(void)
{
	return lkl_limit - lkl_used;
}

/* True when it is worth trying again. */
static bool lkl_kill_somebody(void)
{
	struct oom_control oc = { .gfp_mask = GFP_KERNEL };
	bool found = true;

	if (mutex_trylock(&oom_lock)) {
		found = out_of_memory(&oc);
		mutex_unlock(&oom_lock);
	}
	/* The victim has to run to give anything back. */
	if (found && !fatal_signal_pending(current))
		schedule_timeout_killable(1);
	return found;
}

static bool lkl_reserve(unsigned long pages, bool kill)
{
	while (pages > lkl_limit - lkl_used)
		if (!kill || fatal_signal_pending(current) || !lkl_kill_somebody())
			return false;
	lkl_used += pages;
	return true;
}

static void lkl_count(struct mem_cgroup *payer, long pages)
{
	mod_lruvec_state(mem_cgroup_lruvec(payer, NODE_DATA(0)), NR_ANON_MAPPED, pages);
}

static bool lkl_charge_group(struct mem_cgroup *group, unsigned long pages, bool kill)
{
	gfp_t gfp = GFP_KERNEL | (kill ? 0 : __GFP_NORETRY | __GFP_NOWARN);

	return !group || mem_cgroup_is_root(group) || !try_charge_memcg(group, gfp, pages);
}

static void lkl_uncharge_group(struct mem_cgroup *group, unsigned long pages)
{
	if (group && !mem_cgroup_is_root(group) && pages)
		mem_cgroup_cancel_charge(group, pages);
}

/*
 * All pages of a process are one cgroup's: the one it was in when it got the
 * last. So what it had follows a process that is moved and then touches memory.
 */
static bool lkl_charge_payer(struct mm_struct *mm, unsigned long pages, bool kill)
{
	struct lkl_pages *p = mm->context.pages;
	struct mem_cgroup *group = get_mem_cgroup_from_mm(mm), *old;
	unsigned long held;

	if (group == p->payer) {
		mem_cgroup_put(group);
		return lkl_charge_group(p->payer, pages, kill);
	}
	held = p->charged;
	if (!lkl_charge_group(group, held + pages, kill)) {
		mem_cgroup_put(group);
		return false;
	}
	/* It may have slept; what changed since is the difference. */
	if (p->charged < held)
		lkl_uncharge_group(group, held - p->charged);
	else if (p->charged > held && !lkl_charge_group(group, p->charged - held, false))
		pr_debug("%s: %lu pages stay uncharged\n", current->comm, p->charged - held);
	old = p->payer;
	p->payer = group;
	lkl_uncharge_group(old, p->charged);
	if (p->charged) {
		lkl_count(old, -(long)p->charged);
		lkl_count(group, p->charged);
	}
	mem_cgroup_put(old);
	return true;
}

/* @kill: there must be memory, or somebody dies. May sleep. */
bool lkl_charge(struct mm_struct *mm, unsigned long pages, bool kill)
{
	struct lkl_pages *p = mm->context.pages;

	if (!lkl_reserve(pages, kill))
		return false;
	if (!lkl_charge_payer(mm, pages, kill)) {
		lkl_used -= pages;
		return false;
	}
	p->charged += pages;
	lkl_count(p->payer, pages);
	add_mm_counter(mm, MM_ANONPAGES, pages);
	return true;
}

void lkl_uncharge(struct mm_struct *mm, unsigned long pages)
{
	struct lkl_pages *p = mm->context.pages;

	if (!pages)
		return;
	update_hiwater_rss(mm);
	add_mm_counter(mm, MM_ANONPAGES, -(long)pages);
	p->charged -= pages;
	lkl_count(p->payer, -(long)pages);
	lkl_uncharge_group(p->payer, pages);
	lkl_used -= pages;
}

int lkl_context_new(mm_context_t *context)
{
	struct lkl_pages *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	int id;

	context->id = 0;
	context->pages = p;
	if (!p)
		return -ENOMEM;
	xa_init(&p->anon);
	xa_init(&p->shared);
	id = host_mm_new();
	if (id <= 0) {
		kfree(p);
		context->pages = NULL;
		return -ENOMEM;
	}
	context->id = id;
	return 0;
}

/* init_mm has no context, nor has an mm for which there was no memory. */
void lkl_context_free(mm_context_t *context)
{
	struct lkl_pages *p = context->pages;

	if (!p)
		return;
	xa_destroy(&p->anon);
	xa_destroy(&p->shared);
	mem_cgroup_put(p->payer);
	kfree(p);
	host_mm_free(context->id);
}

void mm_trace_rss_stat(struct mm_struct *mm, int member)
{
	trace_rss_stat(mm, member);
}
