/* exec: arguments, environment, auxiliary vector, descriptors, failures. */
#include "test.h"
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>

extern char **environ;

static int child(int argc, char **argv)
{
	CHECK(argc == 4 && !argv[4]);
	CHECK(!strcmp(argv[2], "") && !strcmp(argv[3], "two words"));
	CHECK(!strcmp(getenv("KEY"), "value") && environ[0] && !environ[1]);
	CHECK(getauxval(AT_PAGESZ) == 4096 && sysconf(_SC_PAGESIZE) == 4096);
	CHECK(getauxval(AT_RANDOM) && getauxval(AT_EXECFN) && !getauxval(AT_SECURE));
	CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
	/* 10 was inherited, 11 was close-on-exec */
	CHECK(fcntl(10, F_GETFD) == 0);
	FAILS(fcntl(11, F_GETFD), EBADF);
	/* a handler is reset, ignoring is kept */
	struct sigaction sa;
	OK(sigaction(SIGUSR1, 0, &sa));
	CHECK(sa.sa_handler == SIG_DFL);
	OK(sigaction(SIGUSR2, 0, &sa));
	CHECK(sa.sa_handler == SIG_IGN);
	return 0;
}

static void handler(int sig) { (void)sig; }

static void start(void)
{
	char *argv[] = { "exec", "child", "", "two words", 0 }, *envp[] = { "KEY=value", 0 };

	OK(dup2(2, 10));
	OK(dup3(2, 11, O_CLOEXEC));
	handle(SIGUSR1, handler, 0);
	handle(SIGUSR2, SIG_IGN, 0);
	execve("/proc/self/exe", argv, envp);
	test_fail(__FILE__, __LINE__, "execve");
}

int main(int argc, char **argv)
{
	char *none[] = { "x", 0 };

	if (argc > 1) return child(argc, argv);
	CHECK(exited(in_child(start), 0));

	FAILS(execve("/nowhere", none, none), ENOENT);
	FAILS(execve("/tmp", none, none), EACCES);
	int fd = OK(open("/tmp/exec-test", O_CREAT | O_WRONLY, 0755));
	OK(write(fd, "\0asm\1\0\0\0garbage", 15));
	OK(close(fd));
	FAILS(execve("/tmp/exec-test", none, none), ENOEXEC);
	OK(chmod("/tmp/exec-test", 0644));
	FAILS(execve("/tmp/exec-test", none, none), EACCES);
	OK(unlink("/tmp/exec-test"));
	return 0;
}
