// SPDX-License-Identifier: GPL-2.0
/*
 * The request of `job_next`, little-endian:
 *
 *  u32 id, kind;
 *  run (0):    u32 flags, uid, gid, stream[3]; u16 rows, cols; u32 argc, envc,
 *              processes, wall_ms, cpu_ms, grace_ms; u64 memory;
 *              then cwd, argv..., envp..., each NUL-terminated
 *  signal (1): u32 signal
 */
#include <linux/err.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "job.h"

#define LKL_JOB_RUN	0
#define LKL_JOB_SIGNAL	1
#define LKL_JOB_STRINGS	0x10000

struct lkl_job_header {
	__le32 id, kind, flags, uid, gid, stream[3];
	__le16 rows, cols;
	__le32 argc, envc;
	__le32 processes, wall_ms, cpu_ms, grace_ms;
	__le64 memory;
} __packed;

struct lkl_signal_header {
	__le32 id, kind, signal;
} __packed;

static const char *lkl_job_string(const char **at, const char *end)
{
	const char *s = *at, *nul = memchr(s, '\0', end - s);

	if (!nul)
		return NULL;
	*at = nul + 1;
	return s;
}

static const char **lkl_job_strings(const char **at, const char *end, u32 n)
{
	const char **list = kvcalloc(n + 1, sizeof(*list), GFP_KERNEL);
	u32 i;

	for (i = 0; list && i < n; i++) {
		list[i] = lkl_job_string(at, end);
		if (!list[i]) {
			kvfree(list);
			return ERR_PTR(-EINVAL);
		}
	}
	return list ?: ERR_PTR(-ENOMEM);
}

static int lkl_job_fill(struct lkl_job *job, const struct lkl_job_header *h, size_t len)
{
	const char *at = (const char *)(h + 1), *end = (const char *)h + len;
	u32 argc = le32_to_cpu(h->argc), envc = le32_to_cpu(h->envc);
	int i;

	if (!argc || argc > LKL_JOB_STRINGS || envc > LKL_JOB_STRINGS)
		return -EINVAL;
	job->flags = le32_to_cpu(h->flags);
	job->uid = le32_to_cpu(h->uid);
	job->gid = le32_to_cpu(h->gid);
	for (i = 0; i < ARRAY_SIZE(job->stream); i++)
		job->stream[i] = le32_to_cpu(h->stream[i]);
	job->rows = le16_to_cpu(h->rows);
	job->cols = le16_to_cpu(h->cols);
	job->limits = (struct lkl_job_limits) {
		.memory		= le64_to_cpu(h->memory),
		.processes	= le32_to_cpu(h->processes),
		.wall_ms	= le32_to_cpu(h->wall_ms),
		.cpu_ms		= le32_to_cpu(h->cpu_ms),
		.grace_ms	= le32_to_cpu(h->grace_ms),
	};
	job->cwd = lkl_job_string(&at, end);
	if (!job->cwd)
		return -EINVAL;
	job->argv = lkl_job_strings(&at, end, argc);
	if (IS_ERR(job->argv))
		return PTR_ERR(job->argv);
	job->envp = lkl_job_strings(&at, end, envc);
	return PTR_ERR_OR_ZERO(job->envp);
}

void lkl_job_free(struct lkl_job *job)
{
	if (!IS_ERR_OR_NULL(job->argv))
		kvfree(job->argv);
	if (!IS_ERR_OR_NULL(job->envp))
		kvfree(job->envp);
	kvfree(job->request);
	kfree(job);
}

static int lkl_job_parse_run(void *request, size_t len, struct lkl_job_request *out)
{
	struct lkl_job *job;
	int err = -EINVAL;

	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job) {
		kvfree(request);
		return -ENOMEM;
	}
	job->id = out->id;
	job->request = request;
	if (len >= sizeof(struct lkl_job_header))
		err = lkl_job_fill(job, request, len);
	if (err)
		lkl_job_free(job);
	else
		out->job = job;
	return err;
}

static int lkl_job_parse_signal(void *request, size_t len, struct lkl_job_request *out)
{
	const struct lkl_signal_header *h = request;
	int err = -EINVAL;

	if (len >= sizeof(*h)) {
		out->signal = le32_to_cpu(h->signal);
		if (valid_signal(out->signal))
			err = 0;
	}
	kvfree(request);
	return err;
}

/* The id is what the answer goes to, also when the rest is not understood. */
int lkl_job_parse(void *request, size_t len, struct lkl_job_request *out)
{
	__le32 head[2] = { };
	u32 kind;

	memcpy(head, request, min(len, sizeof(head)));
	kind = le32_to_cpu(head[1]);
	*out = (struct lkl_job_request) { .id = le32_to_cpu(head[0]) };
	if (kind == LKL_JOB_RUN)
		return lkl_job_parse_run(request, len, out);
	if (kind == LKL_JOB_SIGNAL)
		return lkl_job_parse_signal(request, len, out);
	kvfree(request);
	return -EINVAL;
}
