/* prctl: the parent's death signal, names, subreapers; who inherits orphans. */
#include "test.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

static int fd[2];

static void say(long n) { OK(write(fd[1], &n, sizeof n)); }
static long hear(void)
{
	long n;
	CHECK(read(fd[0], &n, sizeof n) == sizeof n);
	return n;
}

/* Leaves a grandchild behind that tells its new parent. */
static void leaves_orphan(void)
{
	int gone[2];
	char c;

	OK(pipe(gone));
	pid_t parent = getpid(), pid = OK(fork());
	if (!pid) {
		OK(close(gone[1]));
		CHECK(read(gone[0], &c, 1) == 0);
		/* the end of the pipe is closed a little before the parent is gone */
		while (getppid() == parent) sched_yield();
		say(getppid());
		_exit(21);
	}
	_exit(0);
}

static void dies_with_parent(void)
{
	int up[2];
	char c;

	OK(pipe(up));
	pid_t pid = OK(fork());
	if (!pid) {
		OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
		int sig = 0;
		OK(prctl(PR_GET_PDEATHSIG, &sig));
		CHECK(sig == SIGUSR1);
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		OK(sigprocmask(SIG_BLOCK, &set, 0));
		OK(write(up[1], "x", 1));
		siginfo_t si;
		CHECK(sigwaitinfo(&set, &si) == SIGUSR1);
		say(4);
		_exit(0);
	}
	CHECK(read(up[0], &c, 1) == 1);
	_exit(0);
}

static void comm(const char *path, const char *want)
{
	char text[32] = "";
	int f = OK(open(path, O_RDONLY));
	int n = OK(read(f, text, sizeof text - 1));
	OK(close(f));
	CHECK(n > 0 && text[n - 1] == '\n');
	text[n - 1] = 0;
	CHECK(!strcmp(text, want));
}

static void *named(void *arg)
{
	char path[64], name[16];

	OK(prctl(PR_SET_NAME, "a-thread"));
	snprintf(path, sizeof path, "/proc/self/task/%d/comm", gettid());
	comm(path, "a-thread");
	CHECK(!pthread_setname_np(pthread_self(), "by-pthread"));
	comm(path, "by-pthread");
	CHECK(!pthread_getname_np(pthread_self(), name, sizeof name) && !strcmp(name, "by-pthread"));
	CHECK(pthread_setname_np(pthread_self(), "longer than sixteen") == ERANGE);
	return arg;
}

int main(void)
{
	char name[16] = "";
	pthread_t t;
	int status;

	OK(pipe(fd));
	OK(prctl(PR_SET_NAME, "a very long name of a program"));
	OK(prctl(PR_GET_NAME, name));
	CHECK(!strcmp(name, "a very long nam"));
	comm("/proc/self/comm", "a very long nam");
	CHECK(!pthread_create(&t, 0, named, 0) && !pthread_join(t, 0));
	comm("/proc/self/comm", "a very long nam");

	/* orphans go to init, which reaps them, or to a subreaper */
	CHECK(exited(in_child(leaves_orphan), 0));
	CHECK(hear() == 1);
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	CHECK(exited(in_child(leaves_orphan), 0));
	CHECK(hear() == getpid());
	CHECK(wait(&status) > 0 && exited(status, 21));

	CHECK(exited(in_child(dies_with_parent), 0));
	CHECK(hear() == 4);
	OK(wait(&status));

	OK(prctl(PR_SET_DUMPABLE, 0));
	CHECK(prctl(PR_GET_DUMPABLE) == 0);
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	return 0;
}
