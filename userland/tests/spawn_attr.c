/* posix_spawn: every attribute and file action. */
#include "test.h"
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>

static char *self;
extern char **environ;

static int child(char **argv)
{
	sigset_t set;
	struct sigaction sa;
	char c, where[64];

	switch (*argv[1]) {
	case 'g': return getpgrp() == getpid() ? 0 : 2;
	case 's': return getsid(0) == getpid() && getpgrp() == getpid() ? 0 : 2;
	case 'm':
		OK(sigprocmask(SIG_BLOCK, 0, &set));
		return sigismember(&set, SIGUSR1) && !sigismember(&set, SIGUSR2) ? 0 : 2;
	case 'd':
		OK(sigaction(SIGUSR1, 0, &sa));
		if (sa.sa_handler != SIG_DFL) return 2;
		OK(sigaction(SIGUSR2, 0, &sa));
		return sa.sa_handler == SIG_IGN ? 0 : 3;
	case 'f':
		OK(getcwd(where, sizeof where) ? 0 : -1);
		if (strcmp(where, "/tmp")) return 2;
		if (read(0, &c, 1) != 1 || c != 'q') return 3;
		FAILS(fcntl(20, F_GETFD), EBADF);
		return OK(fcntl(21, F_GETFD)) == 0 ? 0 : 4;
	case 'p': return getpgrp() == atoi(argv[2]) ? 0 : 2;
	}
	return 9;
}

static int spawn(char *what, posix_spawn_file_actions_t *fa, posix_spawnattr_t *attr, char *arg)
{
	char *argv[] = { "spawn_attr", what, arg, 0 };
	int status;
	pid_t pid;

	CHECK(!posix_spawn(&pid, self, fa, attr, argv, environ));
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t set;

	if (argc > 1) return child(argv);
	self = argv[0];

	CHECK(!posix_spawnattr_init(&attr));
	CHECK(!posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP));
	CHECK(spawn("g", 0, &attr, 0) == 0);
	/* into a group that exists: this program's own */
	char number[16];
	snprintf(number, sizeof number, "%d", getpgrp());
	CHECK(!posix_spawnattr_setpgroup(&attr, getpgrp()));
	CHECK(spawn("p", 0, &attr, number) == 0);
	CHECK(!posix_spawnattr_setpgroup(&attr, 31999));
	pid_t pid;
	char *none[] = { "x", "g", 0 };
	int err = posix_spawn(&pid, self, 0, &attr, none, environ);
	CHECK(err == EPERM || err == ESRCH);
	FAILS(wait(0), ECHILD);

	CHECK(!posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID));
	CHECK(spawn("s", 0, &attr, 0) == 0);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!posix_spawnattr_setsigmask(&attr, &set));
	CHECK(!posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK));
	CHECK(spawn("m", 0, &attr, 0) == 0);

	handle(SIGUSR1, SIG_IGN, 0);
	handle(SIGUSR2, SIG_IGN, 0);
	CHECK(!posix_spawnattr_setsigdefault(&attr, &set));
	CHECK(!posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_RESETIDS));
	CHECK(spawn("d", 0, &attr, 0) == 0);

	int fd = OK(open("/tmp/spawn-in", O_CREAT | O_WRONLY | O_TRUNC, 0644));
	OK(write(fd, "q", 1));
	OK(close(fd));
	OK(dup2(2, 20));
	CHECK(!posix_spawn_file_actions_init(&fa));
	CHECK(!posix_spawn_file_actions_addchdir_np(&fa, "/tmp"));
	CHECK(!posix_spawn_file_actions_addopen(&fa, 0, "spawn-in", O_RDONLY, 0));
	CHECK(!posix_spawn_file_actions_adddup2(&fa, 20, 21));
	CHECK(!posix_spawn_file_actions_addclose(&fa, 20));
	CHECK(spawn("f", &fa, 0, 0) == 0);
	OK(unlink("/tmp/spawn-in"));
	/* an action that fails: the error is this caller's, and no child is left */
	char *args[] = { "x", "f", 0 };
	CHECK(posix_spawn(&pid, self, &fa, 0, args, environ) == ENOENT);
	FAILS(wait(0), ECHILD);
	CHECK(!posix_spawn_file_actions_destroy(&fa));
	return 0;
}
