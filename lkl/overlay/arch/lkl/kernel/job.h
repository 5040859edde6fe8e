/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LKL_JOB_H
#define _LKL_JOB_H

#include <linux/types.h>

/* The terminal is the job's controlling terminal and its fds 0, 1 and 2. */
#define LKL_JOB_TTY	1
/* argv[0] without a slash is looked for in PATH. */
#define LKL_JOB_PATH	2

/* The host sees every system call of the program and its children. */
#define LKL_JOB_TRACE	4

/* A program the host wants run. Strings point into the request. */
struct lkl_job {
	u32 id;
	u32 flags;
	u32 uid, gid;
	u32 stream[3];		/* stdin, stdout, stderr; 0 is /dev/null */
	u16 rows, cols;
	const char *cwd;
	const char **argv, **envp;
	void *request;
};

/* job_request.c: takes over @request, in any case. */
extern struct lkl_job *lkl_job_parse(void *request, size_t len, u32 *id);
extern void lkl_job_free(struct lkl_job *job);

/* job_exec.c: in the new process. Comes back with an error, or having executed. */
extern int lkl_job_exec(const struct lkl_job *job);

#endif
