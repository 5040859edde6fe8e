/* wait: what a parent learns of a child. */
#include "test.h"
#include <sys/resource.h>

static void sleeper(void) { for (;;) pause(); }

static pid_t start(void (*f)(void))
{
	pid_t pid = OK(fork());
	if (!pid) {
		f();
		_exit(0);
	}
	return pid;
}

int main(void)
{
	int status;
	siginfo_t info;
	struct rusage usage;

	/* Signals to the group are to reach this program's children only. */
	setpgid(0, 0);
	pid_t pid = start(sleeper);
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	OK(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	OK(kill(pid, SIGCONT));
	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	OK(kill(pid, SIGTERM));
	/* seen without being taken, then taken */
	CHECK(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	CHECK(info.si_code == CLD_KILLED && info.si_status == SIGTERM && info.si_pid == pid);
	CHECK(wait4(pid, &status, 0, &usage) == pid && killed(status, SIGTERM));
	FAILS(waitpid(pid, &status, 0), ECHILD);

	/* children of a group */
	pid_t group = start(sleeper);
	OK(setpgid(group, group));
	pid_t other = start(sleeper);
	OK(kill(-group, SIGKILL));
	CHECK(waitpid(-group, &status, 0) == group && killed(status, SIGKILL));
	OK(kill(other, SIGKILL));
	CHECK(wait(&status) == other);

	/* ignored: no zombie */
	handle(SIGCHLD, SIG_IGN, 0);
	start(sleeper);
	pid = OK(fork());
	if (!pid) _exit(0);
	FAILS(waitpid(pid, &status, 0), ECHILD);
	OK(kill(0, 0));
	handle(SIGTERM, SIG_IGN, 0);
	OK(kill(0, SIGTERM));
	FAILS(wait(&status), ECHILD);
	return 0;
}
