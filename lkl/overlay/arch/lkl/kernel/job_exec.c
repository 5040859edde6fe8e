// SPDX-License-Identifier: GPL-2.0
/*
 * Becoming the job's program: what login or a shell would do before exec, in
 * the new process, which still is without a user side.
 */
#include <linux/binfmts.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <asm/lkl_stream.h>
#include "job.h"
#include "lkl.h"

#define LKL_JOB_UMASK 022

/* As kernel/uid16.h declares them. */
extern long __sys_setuid(uid_t uid);
extern long __sys_setgid(gid_t gid);

static int lkl_job_install(int fd, struct file *file)
{
	int err = replace_fd(fd, file, 0);

	return err < 0 ? err : 0;
}

static int lkl_job_streams(const struct lkl_job *job)
{
	int fd, err = 0;

	for (fd = 0; fd < ARRAY_SIZE(job->stream) && !err; fd++) {
		int flags = fd ? O_WRONLY : O_RDONLY;
		struct file *file = job->stream[fd] ?
			lkl_stream_file(job->stream[fd], flags) :
			filp_open("/dev/null", flags, 0);

		if (IS_ERR(file))
			return PTR_ERR(file);
		err = lkl_job_install(fd, file);
		fput(file);
	}
	return err;
}

/*
 * By its name, so that ttyname() finds it; a root without a devtmpfs at /dev
 * has it all the same, through a mount of our own.
 */
static struct file *lkl_job_open_tty(int minor)
{
	char name[] = "/dev/ttyL63";
	struct file_system_type *type;
	struct vfsmount *mnt;
	struct file *file;

	snprintf(name, sizeof(name), "/dev/ttyL%d", minor);
	file = filp_open(name, O_RDWR, 0);
	if (!IS_ERR(file))
		return file;
	type = get_fs_type("devtmpfs");
	if (!type)
		return file;
	mnt = kern_mount(type);
	put_filesystem(type);
	if (IS_ERR(mnt))
		return file;
	file = file_open_root_mnt(mnt, strrchr(name, '/') + 1, O_RDWR, 0);
	/* The open file holds the mount. */
	kern_unmount(mnt);
	return file;
}

/* A session leader's first terminal becomes its controlling terminal. */
static int lkl_job_terminal(const struct lkl_job *job)
{
	int minor = lkl_tty_bind(job->stream[0], job->rows, job->cols);
	struct file *file;
	int fd, err;

	if (minor < 0)
		return minor;
	file = lkl_job_open_tty(minor);
	if (IS_ERR(file)) {
		lkl_tty_unbind(minor);
		return PTR_ERR(file);
	}
	err = vfs_fchown(file, job->uid, -1);
	for (fd = 0; fd < 3 && !err; fd++)
		err = lkl_job_install(fd, file);
	fput(file);
	return err;
}

/* The socket's one file is stdin, stdout and stderr. */
static int lkl_job_socket(const struct lkl_job *job)
{
	struct file *file = lkl_stream_socket(job->stream[0]);
	int fd, err = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	for (fd = 0; fd < 3 && !err; fd++)
		err = lkl_job_install(fd, file);
	fput(file);
	return err;
}

static int lkl_job_stdio(const struct lkl_job *job)
{
	if (job->flags & LKL_JOB_TTY)
		return lkl_job_terminal(job);
	if (job->flags & LKL_JOB_SOCKET)
		return lkl_job_socket(job);
	return lkl_job_streams(job);
}

static int lkl_job_chdir(const char *cwd)
{
	struct path path;
	int err = kern_path(cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

	if (err)
		return err;
	err = path_permission(&path, MAY_EXEC | MAY_CHDIR);
	if (!err)
		set_fs_pwd(current->fs, &path);
	path_put(&path);
	return err;
}

/* The group first: afterwards it would not be allowed. */
static int lkl_job_become(const struct lkl_job *job)
{
	int err = __sys_setgid(job->gid);

	return err ?: __sys_setuid(job->uid);
}

/* A kernel thread's child ignores everything; a program expects defaults. */
static void lkl_job_signals(void)
{
	sigset_t none;

	spin_lock_irq(&current->sighand->siglock);
	flush_signal_handlers(current, 1);
	spin_unlock_irq(&current->sighand->siglock);
	sigemptyset(&none);
	set_current_blocked(&none);
}

static const char *lkl_job_env(const struct lkl_job *job, const char *name)
{
	size_t len = strlen(name);
	const char **e;

	for (e = job->envp; *e; e++)
		if (!strncmp(*e, name, len) && (*e)[len] == '=')
			return *e + len + 1;
	return NULL;
}

static int lkl_job_try(const struct lkl_job *job, const char *file)
{
	int err = kernel_execve(file, job->argv, job->envp);

	lkl_trace_exec(file, err);
	return err;
}

/* As execvp(): what could not be executed counts more than what is not there. */
static int lkl_job_search(const struct lkl_job *job, const char *dirs)
{
	int err, worst = -ENOENT;

	for (;;) {
		const char *end = strchrnul(dirs, ':');
		char *file = kasprintf(GFP_KERNEL, "%.*s%s%s", (int)(end - dirs), dirs,
				       end > dirs ? "/" : "", job->argv[0]);

		if (!file)
			return -ENOMEM;
		err = lkl_job_try(job, file);
		kfree(file);
		if (err == -EACCES)
			worst = err;
		else if (err != -ENOENT && err != -ENOTDIR)
			return err;
		if (!*end)
			return worst;
		dirs = end + 1;
	}
}

int lkl_job_exec(const struct lkl_job *job)
{
	const char *path = lkl_job_env(job, "PATH");
	int err;

	lkl_job_signals();
	ksys_setsid();
	current->fs->umask = LKL_JOB_UMASK;
	err = lkl_group_enter(job);
	if (!err)
		err = lkl_job_stdio(job);
	if (job->flags & LKL_JOB_NO_PRIVS)
		task_set_no_new_privs(current);
	if (!err)
		err = lkl_job_become(job);
	if (!err)
		err = lkl_job_chdir(job->cwd);
	if (err)
		return err;
	if (job->flags & LKL_JOB_TRACE)
		set_thread_flag(TIF_HOST_TRACE);
	if (!(job->flags & LKL_JOB_PATH) || !path || strchr(job->argv[0], '/'))
		return lkl_job_try(job, job->argv[0]);
	return lkl_job_search(job, path);
}
