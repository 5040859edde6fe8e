/* A cgroup v2 limits the number of processes, and freezes them. */
#include "test.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define ROOT "/mnt"
static void put(const char *file, const char *text)
{
	int fd = OK(open(file, O_WRONLY));
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	OK(close(fd));
}

static void limited(void)
{
	char self[16];
	snprintf(self, sizeof self, "%d", getpid());
	put(ROOT "/test/cgroup.procs", self);
	pid_t pid = OK(fork());
	if (!pid) {
		pause();
		_exit(0);
	}
	FAILS(fork(), EAGAIN);
	OK(kill(pid, SIGKILL));
	OK(waitpid(pid, 0, 0));
}

int main(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0));
	OK(mount("none", ROOT, "cgroup2", 0, 0));
	put(ROOT "/cgroup.subtree_control", "+pids");
	OK(mkdir(ROOT "/test", 0700));
	put(ROOT "/test/pids.max", "2");
	CHECK(exited(in_child(limited), 0));

	char text[64] = "";
	int fd = OK(open(ROOT "/test/pids.current", O_RDONLY));
	CHECK(read(fd, text, sizeof text) > 0 && !strcmp(text, "0\n"));
	OK(close(fd));
	OK(rmdir(ROOT "/test"));
	return 0;
}
