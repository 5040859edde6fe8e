/* 1,000 processes at once, and a tree that is as deep. */
#include "test.h"

static int gate[2];

static void reap(int n)
{
	int status;
	while (n--) CHECK(wait(&status) > 0 && exited(status, 0));
	FAILS(wait(&status), ECHILD);
}

static void wide(void)
{
	char c;

	OK(pipe(gate));
	for (int i = 0; i < 1000; i++) {
		if (OK(fork())) continue;
		close(gate[1]);
		/* all of them wait here */
		_exit(read(gate[0], &c, 1));
	}
	OK(close(gate[1]));
	reap(1000);
}

static void deep(void)
{
	int status;

	for (int i = 0; i < 1000; i++) {
		pid_t pid = OK(fork());
		if (!pid) continue;
		CHECK(waitpid(pid, &status, 0) == pid);
		_exit(exited(status, 0) ? 0 : 1);
	}
	_exit(0);
}

int main(void)
{
	wide();
	CHECK(exited(in_child(deep), 0));
	return 0;
}
