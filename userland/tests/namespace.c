/* Namespaces: host name, processes, mounts, network, users. */
#include "test.h"
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static void uts(void)
{
	struct utsname u;
	OK(unshare(CLONE_NEWUTS));
	OK(sethostname("inside", 6));
	OK(uname(&u));
	CHECK(!strcmp(u.nodename, "inside"));
}

static void pids(void)
{
	OK(unshare(CLONE_NEWPID));
	pid_t pid = OK(fork());
	if (!pid) _exit(getpid() == 1 && getppid() == 0 ? 0 : 1);
	int status;
	OK(waitpid(pid, &status, 0));
	_exit(WEXITSTATUS(status));
}

static void mounts(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0));
	OK(mount("none", "/mnt", "tmpfs", 0, "size=1m"));
	OK(mkdir("/mnt/inside", 0700));
}

static void net(void)
{
	struct if_nameindex *list;
	OK(unshare(CLONE_NEWNET));
	list = if_nameindex();
	CHECK(list && list[0].if_index == 1 && !strcmp(list[0].if_name, "lo") && !list[1].if_index);
}

static void users(void)
{
	OK(setuid(1000));
	FAILS(sethostname("x", 1), EPERM);
	OK(unshare(CLONE_NEWUSER | CLONE_NEWUTS));
	OK(sethostname("x", 1));
	CHECK(getuid() == 65534);
}

int main(void)
{
	struct utsname before, after;
	struct stat st;

	OK(uname(&before));
	CHECK(exited(in_child(uts), 0));
	OK(uname(&after));
	CHECK(!memcmp(&before, &after, sizeof before) && !strcmp(before.sysname, "Linux"));
	CHECK(exited(in_child(pids), 0));
	CHECK(exited(in_child(mounts), 0));
	FAILS(stat("/mnt/inside", &st), ENOENT);
	CHECK(exited(in_child(net), 0));
	CHECK(exited(in_child(users), 0));
	return 0;
}
