/* posix_spawn, system, popen: programs started by the library. */
#include "test.h"
#include <fcntl.h>
#include <spawn.h>

extern char **environ;

int main(void)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char text[32] = "", *argv[] = { "sh", "-c", "echo to-$X; exit 3", 0 };
	char *envp[] = { "PATH=/bin:/usr/bin", "X=pipe", 0 };
	int fd[2], status;
	pid_t pid;

	OK(pipe(fd));
	CHECK(!posix_spawn_file_actions_init(&actions));
	CHECK(!posix_spawn_file_actions_adddup2(&actions, fd[1], 1));
	CHECK(!posix_spawn_file_actions_addclose(&actions, fd[0]));
	CHECK(!posix_spawnattr_init(&attr));
	CHECK(!posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP));
	CHECK(!posix_spawnp(&pid, "sh", &actions, &attr, argv, envp));
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 3));
	CHECK(read(fd[0], text, sizeof text) == 8 && !strcmp(text, "to-pipe\n"));
	CHECK(posix_spawn(&pid, "/nowhere", 0, 0, argv, environ) == ENOENT);

	CHECK(exited(system("exit 5"), 5) && system(0));
	FILE *f = popen("echo one; echo two", "r");
	CHECK(f && fgets(text, sizeof text, f) && !strcmp(text, "one\n"));
	CHECK(fgets(text, sizeof text, f) && !strcmp(text, "two\n"));
	CHECK(exited(pclose(f), 0));
	return 0;
}
