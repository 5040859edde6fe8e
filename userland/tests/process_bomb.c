/* A fork bomb, and a line of children as deep as it goes, end in EAGAIN or
 * ENOMEM: for each who forks, not for the machine. Afterwards everything works
 * as before. */
#include "test.h"
#include <sys/prctl.h>

/* Every process forks as often as it can; nobody goes away. */
static void bomb(void)
{
	pid_t leader = getpid(), pid;

	OK(setsid());
	while ((pid = fork()) >= 0) ;
	if (errno != EAGAIN && errno != ENOMEM) _exit(1);
	if (getpid() != leader) for (;;) pause();
	_exit(2);
}

/* Each waits for its child; the one that cannot have any says how deep it is. */
static void deepest(void)
{
	int fd[2], depth = 0, status;
	pid_t pid;

	OK(pipe(fd));
	while (!(pid = fork())) depth++;
	if (pid > 0) {
		CHECK(waitpid(pid, &status, 0) == pid);
		if (depth) _exit(exited(status, 0) ? 0 : 1);
		CHECK(exited(status, 0) && read(fd[0], &depth, sizeof depth) == sizeof depth);
		_exit(depth > 100 ? 4 : 3);
	}
	CHECK(errno == EAGAIN || errno == ENOMEM);
	OK(write(fd[1], &depth, sizeof depth));
	_exit(0);
}

static void still_works(void)
{
	CHECK(exited(system("echo still here | grep -q here && exit 5"), 5));
}

int main(void)
{
	int status, n;

	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int round = 0; round < 3; round++) {
		pid_t leader = OK(fork());
		if (!leader) bomb();
		CHECK(waitpid(leader, &status, 0) == leader && exited(status, 2));
		/* what is left of it is this program's now */
		n = 0;
		while (!kill(-leader, SIGKILL) || errno != ESRCH)
			while (waitpid(-1, &status, WNOHANG) > 0) n++;
		while (wait(&status) > 0) n++;
		CHECK(n > 100);
		still_works();
		CHECK(exited(in_child(deepest), 4));
		still_works();
	}
	printf("%d processes\n", n + 1);
	return 0;
}
