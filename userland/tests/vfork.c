/* vfork: memory is shared, the parent waits, and goes on from the call. */
#include "test.h"

static volatile int shared;

static int spawn(int code)
{
	volatile int local = 1;
	int status;
	pid_t pid = vfork();

	CHECK(pid >= 0);
	if (!pid) {
		shared = code;
		local = 2;
		_exit(code);
	}
	/* It ran first, in this memory. */
	CHECK(shared == code && local == 2);
	CHECK(waitpid(pid, &status, 0) == pid);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int status;

	if (argc > 1) return 23;
	for (int i = 1; i < 100; i++) CHECK(spawn(i) == i);

	pid_t pid = vfork();
	if (!pid) {
		execl("/proc/self/exe", argv[0], "child", (char *)0);
		_exit(99);
	}
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 23));

	pid = vfork();
	if (!pid) {
		execl("/nowhere", "x", (char *)0);
		_exit(errno == ENOENT ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 0));
	return 0;
}
