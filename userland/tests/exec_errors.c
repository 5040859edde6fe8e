/* exec that fails leaves the caller as it was; chains of scripts; a second
 * thread that executes. */
#include "test.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <dirent.h>

static char *none[] = { "x", 0 };

static void file(const char *path, const char *text, int mode)
{
	int fd = OK(open(path, O_CREAT | O_TRUNC | O_WRONLY, mode));
	OK(write(fd, text, strlen(text)));
	OK(close(fd));
}

static void as_user(void)
{
	OK(setgid(1234));
	OK(setuid(1234));
	FAILS(execve("/tmp/root-only", none, none), EACCES);
	FAILS(execve("/tmp/private/x", none, none), EACCES);
}

/* Arguments that fit one by one but not together; the limit is a quarter of
 * the stack's. */
static char **list(int n, int size)
{
	char **argv = calloc(n + 2, sizeof *argv), *text = malloc(size);

	CHECK(argv && text);
	memset(text, 'a', size - 1);
	text[size - 1] = 0;
	argv[0] = "true";
	for (int i = 1; i <= n; i++) argv[i] = text;
	return argv;
}

static void one_megabyte(void) { execve("/bin/true", list(1024, 1000), none); _exit(99); }

static void chain4(void) { execl("/tmp/chain4", "chain4", (char *)0); _exit(99); }

static void *runs_self(void *path)
{
	/* a failed one changes nothing: all threads go on */
	FAILS(execve("/nowhere", none, none), ENOENT);
	execl(path, path, "tid", (char *)0);
	_exit(99);
}

static void *spins(void *arg) { (void)arg; for (;;) ; }
static void *sleeps(void *arg) { (void)arg; for (;;) pause(); }

static char *self;
static void from_thread(void)
{
	pthread_t t;

	for (int i = 0; i < 3; i++) {
		CHECK(!pthread_create(&t, 0, spins, 0));
		CHECK(!pthread_create(&t, 0, sleeps, 0));
	}
	char pid[16];
	snprintf(pid, sizeof pid, "%d", getpid());
	OK(setenv("OLD_PID", pid, 1));
	CHECK(!pthread_create(&t, 0, runs_self, self));
	for (;;) pause();
}

static int alone(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/task");

	CHECK(d);
	while (readdir(d)) n++;
	return n == 3 && getpid() == gettid() && getpid() == atoi(getenv("OLD_PID"));
}

int main(int argc, char **argv)
{
	char path[32], text[64];

	if (argc > 1) return alone() ? 30 : 31;
	self = argv[0];

	FAILS(execve("/nowhere", none, none), ENOENT);
	FAILS(execve("", none, none), ENOENT);
	FAILS(execve("/bin/sh/x", none, none), ENOTDIR);
	FAILS(execve("/tmp", none, none), EACCES);
	FAILS(execve("/dev/null", none, none), EACCES);
	FAILS(execve((char *)16, none, none), EFAULT);
	FAILS(execve("/bin/sh", (char **)16, none), EFAULT);
	FAILS(execve("/bin/sh", (char *[]){ (char *)16, 0 }, none), EFAULT);
	OK(symlink("/tmp/loop", "/tmp/loop"));
	FAILS(execve("/tmp/loop", none, none), ELOOP);
	OK(unlink("/tmp/loop"));
	char *name = malloc(8192);
	memset(name, 'n', 8191);
	name[8191] = 0;
	FAILS(execve(name, none, none), ENAMETOOLONG);

	file("/tmp/empty", "", 0755);
	FAILS(execve("/tmp/empty", none, none), ENOEXEC);
	file("/tmp/text", "echo no interpreter\n", 0755);
	FAILS(execve("/tmp/text", none, none), ENOEXEC);
	file("/tmp/root-only", "#!/bin/sh\n", 0700);
	OK(mkdir("/tmp/private", 0700));
	CHECK(exited(in_child(as_user), 0));
	int fd = OK(open("/tmp/text", O_WRONLY));
	FAILS(execve("/tmp/text", none, none), ETXTBSY);
	OK(close(fd));

	/* 2 MB together, and one string that is too long by itself */
	char **big = list(2048, 1025);
	FAILS(execve("/bin/true", big, none), E2BIG);
	FAILS(execve("/bin/true", none, big), E2BIG);
	FAILS(execve("/bin/true", list(1, 131073), none), E2BIG);
	CHECK(exited(in_child(one_megabyte), 0));

	/* an interpreter that is a script itself; five are too many */
	file("/tmp/chain0", "#!/bin/sh\nexit $#\n", 0755);
	for (int i = 1; i <= 5; i++) {
		snprintf(path, sizeof path, "/tmp/chain%d", i);
		snprintf(text, sizeof text, "#!/tmp/chain%d\n", i - 1);
		file(path, text, 0755);
	}
	CHECK(exited(in_child(chain4), 4));
	FAILS(execve("/tmp/chain5", none, none), ELOOP);
	file("/tmp/itself", "#!/tmp/itself\n", 0755);
	FAILS(execve("/tmp/itself", none, none), ELOOP);
	OK(rmdir("/tmp/private"));

	for (int i = 0; i < 10; i++) CHECK(exited(in_child(from_thread), 30));
	return 0;
}
