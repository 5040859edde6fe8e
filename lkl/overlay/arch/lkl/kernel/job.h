/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LKL_JOB_H
#define _LKL_JOB_H

#include <linux/cgroup.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/* The terminal is the job's controlling terminal and its fds 0, 1 and 2. */
#define LKL_JOB_TTY	1
/* argv[0] without a slash is looked for in PATH. */
#define LKL_JOB_PATH	2
/* Fds 0, 1 and 2 are one socket, as inetd gives it. */
#define LKL_JOB_SOCKET	4
/* A control group of its own, which nothing of the job outlives. */
#define LKL_JOB_GROUP	8
/* exec gives no privileges: a set-user-ID bit means nothing. */
#define LKL_JOB_NO_PRIVS	16
/* The host sees every system call of the program and its children. */
#define LKL_JOB_TRACE	32

/* What a job with a group may use; 0 is no limit. */
struct lkl_job_limits {
	u64 memory;		/* bytes */
	u32 processes;
	u32 wall_ms, cpu_ms;
	u32 grace_ms;		/* from the program's end until the rest is killed */
};

/* job_group.c */
struct lkl_group {
	struct cgroup *cgrp;	/* NULL: the job has no group */
	struct delayed_work clock;
	u64 start;		/* ns */
	u32 over;		/* LKL_JOB_OVER_* */
};

/* A program the host wants run. Strings point into the request. */
struct lkl_job {
	u32 id;
	u32 flags;
	u32 uid, gid;
	u32 stream[3];		/* stdin, stdout, stderr; 0 is /dev/null */
	u16 rows, cols;
	struct lkl_job_limits limits;
	const char *cwd;
	const char **argv, **envp;
	void *request;

	int err;		/* why the program could not be executed */
	struct lkl_group group;
	/* Of job.c, under its lock: the process, and a signal it came too early for. */
	struct pid *pid;
	int signal;
};

/* What the host asks for: see job_request.c. */
struct lkl_job_request {
	u32 id;
	struct lkl_job *job;	/* to be run; or, when NULL, */
	int signal;		/* to be sent to job @id */
};

/* job_request.c: takes over @request, in any case. */
extern int lkl_job_parse(void *request, size_t len, struct lkl_job_request *out);
extern void lkl_job_free(struct lkl_job *job);

/* job_exec.c: in the new process. Comes back with an error, or having executed. */
extern int lkl_job_exec(const struct lkl_job *job);

/* job_group.c */
extern int lkl_group_open(struct lkl_job *job);
/* The calling process joins. */
extern int lkl_group_enter(const struct lkl_job *job);
/* The job's program has ended: ends the rest. The limit that was reached. */
extern u32 lkl_group_close(struct lkl_job *job);

#endif
