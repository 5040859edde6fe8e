// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs: programs the host runs in the guest.
 *
 *  IRQ_JOB -> [lkl_jobs] takes requests
 *               -> a waiter thread a job -> the program's process, its child
 *                  waits for it          -> job_exit(id, status)
 *
 * A job is freed by its waiter, which the process reads from only until it has
 * executed: that is before the waiter sees it exit.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/umh.h>
#include <asm/lkl_host.h>
#include "job.h"

#define LKL_JOB_REQUEST_MIN	4096
#define LKL_JOB_REQUEST_MAX	(1 << 20)

struct lkl_job_run {
	struct lkl_job *job;
	int err;
};

static struct task_struct *lkl_job_thread;
static bool lkl_job_pending = true;

static int lkl_job_process(void *arg)
{
	struct lkl_job_run *run = arg;

	run->err = lkl_job_exec(run->job);
	if (run->err)
		do_exit(0);
	return 0;
}

static int lkl_job_waiter(void *arg)
{
	struct lkl_job_run run = { .job = arg };
	u32 id = run.job->id;
	int status = 0;
	pid_t pid;

	/* Ignored, as kernel threads have it, the child would reap itself. */
	kernel_sigaction(SIGCHLD, SIG_DFL);
	pid = user_mode_thread(lkl_job_process, &run, SIGCHLD);
	if (pid < 0)
		run.err = pid;
	else
		kernel_wait(pid, &status);
	lkl_job_free(run.job);
	host_job_exit(id, run.err ?: status);
	return 0;
}

static void lkl_job_start(void *request, size_t len)
{
	struct task_struct *waiter;
	u32 id;
	struct lkl_job *job = lkl_job_parse(request, len, &id);

	if (IS_ERR(job)) {
		host_job_exit(id, PTR_ERR(job));
		return;
	}
	waiter = kthread_run(lkl_job_waiter, job, "job/%u", id);
	if (IS_ERR(waiter)) {
		lkl_job_free(job);
		host_job_exit(id, PTR_ERR(waiter));
	}
}

/* Requests until there is none; one that is too big gets a bigger buffer. */
static void lkl_job_take_all(void)
{
	size_t size = LKL_JOB_REQUEST_MIN;

	for (;;) {
		void *request = kvmalloc(size, GFP_KERNEL);
		int n = request ? host_job_next(request, size) : -ENOMEM;

		if (n > 0) {
			lkl_job_start(request, n);
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

static int __init lkl_job_init(void)
{
	lkl_job_thread = kthread_run(lkl_job_loop, NULL, "lkl_jobs");
	if (IS_ERR(lkl_job_thread))
		return PTR_ERR(lkl_job_thread);
	return request_irq(LKL_IRQ_JOB, lkl_job_irq, 0, "job", NULL);
}
late_initcall(lkl_job_init);
