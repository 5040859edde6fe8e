/* fork: the child continues from the call, however deep, with its own memory. */
#include "test.h"

static int global = 1;

/* Forks at the bottom of a recursion; both sides return through every frame. */
static int deep(int n, int *is_child)
{
	char local[64];
	int sum;

	memset(local, n, sizeof local);
	if (n == 0) {
		pid_t pid = OK(fork());
		*is_child = pid == 0;
		if (pid) {
			int status;
			OK(waitpid(pid, &status, 0));
			CHECK(exited(status, 7));
		}
		return 0;
	}
	sum = deep(n - 1, is_child) + n;
	for (unsigned i = 0; i < sizeof local; i++) CHECK(local[i] == (char)n);
	return sum;
}

static void nested(void)
{
	for (int depth = 0; depth < 5; depth++) {
		pid_t pid = OK(fork());
		if (pid) {
			int status;
			OK(waitpid(pid, &status, 0));
			_exit(exited(status, 5) ? 5 : 1);
		}
		global++;
	}
	_exit(global - 1);
}

static void change(void)
{
	int *p = malloc(sizeof *p);
	CHECK(p && global == 1);
	global = 99;
	_exit(0);
}

int main(void)
{
	int is_child, status;

	int sum = deep(100, &is_child);
	CHECK(sum == 5050);
	if (is_child) _exit(7);

	CHECK(exited(in_child(change), 0) && global == 1);
	CHECK(exited(in_child(nested), 5));

	/* one after another */
	for (int i = 0; i < 300; i++) {
		pid_t pid = OK(fork());
		if (!pid) _exit(i & 0x7f);
		CHECK(waitpid(pid, &status, 0) == pid && exited(status, i & 0x7f));
	}
	/* all at once */
	for (int i = 0; i < 50; i++)
		if (!OK(fork())) _exit(i);
	int seen = 0;
	for (int i = 0; i < 50; i++) {
		OK(wait(&status));
		seen += WEXITSTATUS(status);
	}
	CHECK(seen == 49 * 50 / 2);
	FAILS(wait(&status), ECHILD);
	return 0;
}
