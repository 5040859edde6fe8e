/* A process without privileges does not get out of its control group, nor does
 * it change the group's limits, by any road there is. With the argument `here`
 * it tries in the group it is in; without, it makes one for itself. */
#include "test.h"
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ROOT "/sys/fs/cgroup"
#define OWN_VIEW "/tmp/view"
#define NOBODY 65534

static void group(char path[static 256])
{
	int fd = OK(open("/proc/self/cgroup", O_RDONLY));
	ssize_t n = OK(read(fd, path, 255));

	OK(close(fd));
	path[n] = 0;
	path[strcspn(path, "\n")] = 0;
	CHECK(!strncmp(path, "0::/", 4));
	memmove(path, path + 3, strlen(path + 3) + 1);
}

/* Whether it could be written. */
static int put(const char *dir, const char *file, const char *text)
{
	char path[512];
	int fd, done;

	snprintf(path, sizeof path, "%s/%s", dir, file);
	fd = open(path, O_WRONLY);
	if (fd < 0) return 0;
	done = write(fd, text, strlen(text)) >= 0;
	close(fd);
	return done;
}

static void child_in_root(void)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int dir = open(ROOT, O_RDONLY | O_DIRECTORY);
	long pid;

	if (dir < 0) return;
	args.cgroup = dir;
	pid = syscall(SYS_clone3, &args, sizeof args);
	if (!pid) _exit(0);
	CHECK(pid < 0);
	close(dir);
}

static void by_files(const char *own)
{
	static const char *const roots[] = { ROOT, "/proc/1/root" ROOT, "/mnt", "/proc/1/cwd" ROOT };
	char dir[512];

	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
		CHECK(!put(roots[i], "cgroup.procs", "0"));
		CHECK(!put(roots[i], "cgroup.threads", "0"));
		CHECK(!put(roots[i], "cgroup.subtree_control", "-pids"));
		snprintf(dir, sizeof dir, "%s%s", roots[i], own);
		CHECK(!put(dir, "pids.max", "max"));
		CHECK(!put(dir, "memory.max", "max"));
		CHECK(chmod(dir, 0777) && chown(dir, NOBODY, NOBODY));
		snprintf(dir, sizeof dir, "%s/mine", roots[i]);
		CHECK(mkdir(dir, 0777));
	}
	child_in_root();
}

static void by_privilege(void)
{
	CHECK(setuid(0) && setgid(0) && setresuid(0, 0, 0));
	CHECK(mount("none", "/tmp", "cgroup2", 0, 0));
	CHECK(unshare(CLONE_NEWCGROUP) && unshare(CLONE_NEWNS));
	CHECK(ptrace(PTRACE_ATTACH, 1, 0, 0) == -1);
	CHECK(open("/proc/1/mem", O_RDWR) < 0 && open("/proc/sysrq-trigger", O_WRONLY) < 0);
	CHECK(open("/dev/machine", O_WRONLY) < 0);
	int init = open("/proc/1/ns/cgroup", O_RDONLY);
	CHECK(init < 0 || setns(init, CLONE_NEWCGROUP));
	CHECK(kill(1, SIGTERM));
}

/* Root of a user namespace of its own may mount; what it sees is its group. */
static void by_namespace(void)
{
	char own[256];

	if (unshare(CLONE_NEWUSER)) return;
	put("/proc/self", "setgroups", "deny");
	CHECK(put("/proc/self", "uid_map", "0 65534 1"));
	OK(unshare(CLONE_NEWNS | CLONE_NEWCGROUP));
	group(own);
	CHECK(!strcmp(own, "/"));
	if (mkdir(OWN_VIEW, 0700)) CHECK(errno == EEXIST);
	OK(mount("none", OWN_VIEW, "cgroup2", 0, 0));
	CHECK(!put(OWN_VIEW, "pids.max", "max"));
	CHECK(!put(OWN_VIEW, "memory.max", "max"));
	CHECK(!put(OWN_VIEW, "cgroup.procs", "0"));
	CHECK(!put(OWN_VIEW "/..", "cgroup.procs", "0"));
	CHECK(mkdir(OWN_VIEW "/mine", 0777));
	CHECK(!put(ROOT, "cgroup.procs", "0"));
	CHECK(umount2(ROOT, MNT_DETACH));
}

static void try_all(void)
{
	char before[256], after[256];

	group(before);
	CHECK(before[1]);
	by_files(before);
	by_privilege();
	CHECK(exited(in_child(by_namespace), 0));
	group(after);
	CHECK(!strcmp(before, after));
}

/* As the kernel does for a job with limits. */
static void hostile(void)
{
	CHECK(put(ROOT "/test", "cgroup.procs", "0"));
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	OK(setgid(NOBODY));
	OK(setuid(NOBODY));
	/* As after exec: else /proc/self is root's. */
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	try_all();
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "here")) {
		try_all();
		return 0;
	}
	OK(mount("none", ROOT, "cgroup2", 0, 0));
	CHECK(put(ROOT, "cgroup.subtree_control", "+pids +memory"));
	OK(mkdir(ROOT "/test", 0755));
	CHECK(put(ROOT "/test", "pids.max", "10"));
	CHECK(exited(in_child(hostile), 0));
	OK(rmdir(ROOT "/test"));
	return 0;
}
