/* A fork bomb ends in EAGAIN or ENOMEM: for each who forks, not for the
 * machine. Afterwards everything works as before. */
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
		CHECK(exited(system("echo still here | grep -q here && exit 5"), 5));
	}
	printf("%d processes\n", n + 1);
	return 0;
}
