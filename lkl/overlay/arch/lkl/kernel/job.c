// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs: programs the host runs in the guest.
 *
 *  IRQ_JOB -> [lkl_jobs] takes requests
 *               -> a waiter thread a job -> the program's process, its child
 *                  waits for it          -> job_exit(id, status)
 *
 * A job is freed by its waiter, which the process reads from only until it has
 * executed: that is before the waiter sees it exit. Whoever else wants a job
 * finds it in lkl_jobs, where it is from its start until its waiter has seen
 * the end of everything in it.
 */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/umh.h>
#include <linux/xarray.h>
#include <asm/lkl_host.h>
#include "job.h"
#include "lkl.h"

#define LKL_JOB_REQUEST_MIN	4096
#define LKL_JOB_REQUEST_MAX	(1 << 20)
#define LKL_JOB_OVER_SHIFT	16

static DEFINE_XARRAY(lkl_jobs);
/* Guards lkl_jobs, and `pid` and `signal` of each job in it. */
static DEFINE_MUTEX(lkl_jobs_lock);

static struct task_struct *lkl_job_thread;
static bool lkl_job_pending = true;

static int lkl_job_process(void *arg)
{
	struct lkl_job *job = arg;

	job->err = lkl_job_exec(job);
	if (job->err)
		do_exit(0);
	host_job_started(job->id, task_tgid_nr(current));
	return 0;
}

/* There is a process that signals may go to. */
static void lkl_job_born(struct lkl_job *job, pid_t pid)
{
	mutex_lock(&lkl_jobs_lock);
	job->pid = find_get_pid(pid);
	if (job->signal)
		kill_pid(job->pid, job->signal, 1);
	mutex_unlock(&lkl_jobs_lock);
}

static void lkl_job_signal(u32 id, int signal)
{
	struct lkl_job *job;

	mutex_lock(&lkl_jobs_lock);
	job = xa_load(&lkl_jobs, id);
	if (job && job->pid)
		kill_pid(job->pid, signal, 1);
	else if (job)
		job->signal = signal;
	mutex_unlock(&lkl_jobs_lock);
}

static void lkl_job_end(struct lkl_job *job, int status)
{
	u32 id = job->id;

	mutex_lock(&lkl_jobs_lock);
	xa_erase(&lkl_jobs, id);
	mutex_unlock(&lkl_jobs_lock);
	put_pid(job->pid);
	lkl_job_free(job);
	host_job_exit(id, status);
}

static int lkl_job_waiter(void *arg)
{
	struct lkl_job *job = arg;
	int status = 0;
	u32 over = 0;
	pid_t pid;

	/* Ignored, as kernel threads have it, the child would reap itself. */
	kernel_sigaction(SIGCHLD, SIG_DFL);
	job->err = lkl_group_open(job);
	if (!job->err) {
		pid = user_mode_thread(lkl_job_process, job, SIGCHLD);
		if (pid < 0) {
			job->err = pid;
		} else {
			lkl_job_born(job, pid);
			kernel_wait(pid, &status);
		}
		over = lkl_group_close(job);
	}
	lkl_job_end(job, job->err ?: status | over << LKL_JOB_OVER_SHIFT);
	return 0;
}

static void lkl_job_start(struct lkl_job *job)
{
	struct task_struct *waiter;
	int err;

	mutex_lock(&lkl_jobs_lock);
	err = xa_insert(&lkl_jobs, job->id, job, GFP_KERNEL);
	mutex_unlock(&lkl_jobs_lock);
	if (err) {
		/* Not to be taken for the other one with this id. */
		pr_err("jobs: cannot start job %u: %d\n", job->id, err);
		lkl_job_free(job);
		return;
	}
	waiter = kthread_run(lkl_job_waiter, job, "job/%u", job->id);
	if (IS_ERR(waiter))
		lkl_job_end(job, PTR_ERR(waiter));
}

static void lkl_job_take(void *request, size_t len)
{
	struct lkl_job_request r;
	int err = lkl_job_parse(request, len, &r);

	if (err)
		host_job_exit(r.id, err);
	else if (r.job)
		lkl_job_start(r.job);
	else
		lkl_job_signal(r.id, r.signal);
}

/* Requests until there is none; one that is too big gets a bigger buffer. */
static void lkl_job_take_all(void)
{
	size_t size = LKL_JOB_REQUEST_MIN;

	for (;;) {
		void *request = kvmalloc(size, GFP_KERNEL);
		int n = request ? host_job_next(request, size) : -ENOMEM;

		if (n > 0) {
			lkl_job_take(request, n);
			size = LKL_JOB_REQUEST_MIN;
			continue;
		}
		kvfree(request);
		if (n != -E2BIG || size >= LKL_JOB_REQUEST_MAX) {
			if (n)
				pr_err("jobs: cannot take a request: %d\n", n);
			return;
		}
		size *= 4;
	}
}

static int lkl_job_loop(void *unused)
{
	wait_for_initramfs();
	for (;;) {
		set_current_state(TASK_IDLE);
		if (!xchg(&lkl_job_pending, false)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		lkl_job_take_all();
	}
}

static irqreturn_t lkl_job_irq(int irq, void *dev)
{
	lkl_job_pending = true;
	wake_up_process(lkl_job_thread);
	return IRQ_HANDLED;
}

void __init lkl_job_init(void)
{
	int err;

	lkl_job_thread = kthread_run(lkl_job_loop, NULL, "lkl_jobs");
	err = PTR_ERR_OR_ZERO(lkl_job_thread) ?:
	      request_irq(LKL_IRQ_JOB, lkl_job_irq, 0, "job", NULL);
	if (err)
		pr_err("jobs: there will be none: %d\n", err);
}
