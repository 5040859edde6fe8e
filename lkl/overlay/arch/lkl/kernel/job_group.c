// SPDX-License-Identifier: GPL-2.0
/*
 * A job's control group: its limits, and the end of all that is in it.
 *
 * The groups are folders of the default hierarchy's root ("job-ID"), made
 * through a mount of our own, so that they are there whether or not the guest
 * mounts the hierarchy. The files are the same a shell would write to.
 *
 * A group is opened and closed by the job's waiter. In between its clock (a
 * work item) looks when a time limit can first have been reached: CPU time does
 * not pass faster than time.
 */
#include <linux/cgroup.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/memcontrol.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include <asm/lkl_host.h>
#include "job.h"

#define LKL_GROUP_PATH	48

static struct vfsmount *lkl_group_mnt;

/* Writes @text to a file of the hierarchy. */
static int lkl_group_write(const char *path, const char *text)
{
	struct file *file = file_open_root_mnt(lkl_group_mnt, path, O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_write(file, text, strlen(text), &pos);
	fput(file);
	return n < 0 ? n : 0;
}

static int lkl_group_put(const struct lkl_job *job, const char *name, const char *text)
{
	char path[LKL_GROUP_PATH];

	snprintf(path, sizeof(path), "job-%u/%s", job->id, name);
	return lkl_group_write(path, text);
}

/* No controller costs anything before somebody wants it. */
static int lkl_group_want(const char *controller)
{
	return lkl_group_write("cgroup.subtree_control", controller);
}

static int lkl_group_limit(const struct lkl_job *job, const char *controller, const char *name,
			   u64 value)
{
	char text[24];
	int err;

	if (!value)
		return 0;
	err = lkl_group_want(controller);
	if (err)
		return err;
	snprintf(text, sizeof(text), "%llu", value);
	return lkl_group_put(job, name, text);
}

static int lkl_group_limits(const struct lkl_job *job)
{
	const struct lkl_job_limits *l = &job->limits;
	/* Groups share the CPU as equals, however many processes they have. */
	int err = lkl_group_want("+cpu");

	if (!err)
		err = lkl_group_limit(job, "+pids", "pids.max", l->processes);
	if (!err)
		err = lkl_group_limit(job, "+memory", "memory.max", l->memory);
	/* The job is over its limit, not the process that came last. */
	if (!err && l->memory)
		err = lkl_group_put(job, "memory.oom.group", "1");
	return err;
}

/* Makes or removes the folder. */
static int lkl_group_folder(const struct lkl_job *job, bool make)
{
	struct dentry *root = lkl_group_mnt->mnt_root, *dentry;
	char name[LKL_GROUP_PATH];
	int err;

	snprintf(name, sizeof(name), "job-%u", job->id);
	inode_lock_nested(d_inode(root), I_MUTEX_PARENT);
	dentry = lookup_one_len(name, root, strlen(name));
	err = PTR_ERR_OR_ZERO(dentry);
	if (!err) {
		err = make ? vfs_mkdir(&nop_mnt_idmap, d_inode(root), dentry, 0755)
			   : vfs_rmdir(&nop_mnt_idmap, d_inode(root), dentry);
		dput(dentry);
	}
	inode_unlock(d_inode(root));
	return err;
}

/* Also what forks meanwhile. */
static void lkl_group_kill(const struct lkl_job *job)
{
	int err = lkl_group_put(job, "cgroup.kill", "1");

	if (err)
		pr_err("job %u: cannot end its processes: %d\n", job->id, err);
}

static u64 lkl_group_cpu(struct cgroup *cgrp)
{
	cgroup_rstat_flush(cgrp);
	return cgrp->bstat.cputime.sum_exec_runtime;
}

static s64 lkl_group_left(u32 limit_ms, u64 used)
{
	return limit_ms ? (s64)limit_ms * NSEC_PER_MSEC - (s64)used : S64_MAX;
}

static void lkl_group_tick(struct work_struct *work)
{
	struct lkl_job *job = container_of(to_delayed_work(work), struct lkl_job, group.clock);
	struct lkl_group *g = &job->group;
	s64 left = min(lkl_group_left(job->limits.wall_ms, ktime_get_ns() - g->start),
		       lkl_group_left(job->limits.cpu_ms, lkl_group_cpu(g->cgrp)));

	if (left > 0) {
		schedule_delayed_work(&g->clock, nsecs_to_jiffies(left) + 1);
		return;
	}
	g->over |= LKL_JOB_OVER_TIME;
	lkl_group_kill(job);
}

int lkl_group_open(struct lkl_job *job)
{
	struct lkl_group *g = &job->group;
	char path[LKL_GROUP_PATH];
	int err;

	if (!(job->flags & LKL_JOB_GROUP))
		return 0;
	if (!lkl_group_mnt)
		return -ENODEV;
	err = lkl_group_folder(job, true);
	if (err)
		return err;
	err = lkl_group_limits(job);
	if (err)
		goto fail;
	snprintf(path, sizeof(path), "/job-%u", job->id);
	g->cgrp = cgroup_get_from_path(path);
	err = PTR_ERR_OR_ZERO(g->cgrp);
	if (err)
		goto fail;
	g->start = ktime_get_ns();
	INIT_DELAYED_WORK(&g->clock, lkl_group_tick);
	if (job->limits.wall_ms || job->limits.cpu_ms)
		schedule_delayed_work(&g->clock, 0);
	return 0;
fail:
	g->cgrp = NULL;
	lkl_group_folder(job, false);
	return err;
}

int lkl_group_enter(const struct lkl_job *job)
{
	return job->group.cgrp ? lkl_group_put(job, "cgroup.procs", "0") : 0;
}

static struct task_struct *lkl_group_first(struct cgroup *cgrp)
{
	struct css_task_iter it;
	struct task_struct *task;

	css_task_iter_start(&cgrp->self, CSS_TASK_ITER_PROCS, &it);
	task = css_task_iter_next(&it);
	if (task)
		get_task_struct(task);
	css_task_iter_end(&it);
	return task;
}

/* Waits until the group is empty; false when @timeout jiffies passed before. */
static bool lkl_group_wait(struct cgroup *cgrp, long timeout)
{
	struct task_struct *task;

	while ((task = lkl_group_first(cgrp))) {
		/* As a pidfd becomes readable. */
		struct pid *pid = get_task_pid(task, PIDTYPE_TGID);

		if (pid)
			timeout = wait_event_idle_timeout(pid->wait_pidfd,
				READ_ONCE(task->exit_state) && thread_group_empty(task), timeout);
		put_pid(pid);
		put_task_struct(task);
		if (!timeout)
			return false;
	}
	return true;
}

static bool lkl_group_out_of_memory(struct cgroup *cgrp)
{
	struct mem_cgroup *memcg = mem_cgroup_from_css(cgrp->subsys[memory_cgrp_id]);

	return memcg && (atomic_long_read(&memcg->memory_events[MEMCG_OOM_KILL]) ||
			 atomic_long_read(&memcg->memory_events[MEMCG_OOM_GROUP_KILL]));
}

u32 lkl_group_close(struct lkl_job *job)
{
	struct lkl_group *g = &job->group;
	int err;

	if (!g->cgrp)
		return 0;
	/* The time limit holds during the grace, too. */
	if (!lkl_group_wait(g->cgrp, msecs_to_jiffies(job->limits.grace_ms) + 1)) {
		lkl_group_kill(job);
		lkl_group_wait(g->cgrp, MAX_SCHEDULE_TIMEOUT);
	}
	cancel_delayed_work_sync(&g->clock);
	if (lkl_group_out_of_memory(g->cgrp))
		g->over |= LKL_JOB_OVER_MEMORY;
	cgroup_put(g->cgrp);
	err = lkl_group_folder(job, false);
	if (err)
		pr_err("job %u: cannot remove its group: %d\n", job->id, err);
	return g->over;
}

static int __init lkl_group_init(void)
{
	struct file_system_type *type = get_fs_type("cgroup2");
	struct vfsmount *mnt;

	if (!type)
		return 0;
	mnt = kern_mount(type);
	put_filesystem(type);
	if (IS_ERR(mnt))
		return PTR_ERR(mnt);
	lkl_group_mnt = mnt;
	return 0;
}
late_initcall(lkl_group_init);
