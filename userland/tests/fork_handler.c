/* fork in a signal handler, over a system call and over a busy loop: parent and
 * child both return from it and go on with what was interrupted. */
#include "test.h"
#include <setjmp.h>
#include <sys/time.h>

static volatile sig_atomic_t calls;
static volatile pid_t child = -1;
static sigjmp_buf env;

static void forks(int sig)
{
	(void)sig;
	calls++;
	child = OK(fork());
}

static void forks_and_jumps(int sig)
{
	forks(sig);
	siglongjmp(env, child ? 1 : 2);
}

static void reap(int code)
{
	int status;
	CHECK(waitpid(child, &status, 0) == child && exited(status, code));
}

static int over_raise(int n)
{
	int sum = OPAQUE(n);
	raise(SIGUSR1);
	return sum + n;
}

static unsigned over_loop(void)
{
	struct itimerval it = { .it_value.tv_usec = 2000 };
	unsigned rounds = 0, hash = 1;
	OK(setitimer(ITIMER_REAL, &it, 0));
	while (child < 0) {
		hash = hash * 31 + rounds;
		rounds++;
	}
	unsigned again = 1;
	for (unsigned i = 0; i < rounds; i++) again = again * 31 + i;
	return hash == again;
}

int main(void)
{
	handle(SIGUSR1, forks, 0);
	for (int i = 0; i < 10; i++) {
		CHECK(over_raise(i) == 2 * i && calls == i + 1);
		if (!child) _exit(i);
		reap(i);
	}
	handle(SIGALRM, forks, 0);
	for (int i = 0; i < 5; i++) {
		child = -1;
		CHECK(over_loop());
		if (!child) _exit(40 + i);
		reap(40 + i);
	}
	handle(SIGUSR2, forks_and_jumps, 0);
	for (volatile int i = 0; i < 10; i++) {
		int value = sigsetjmp(env, 1);
		if (!value) {
			raise(SIGUSR2);
			test_fail(__FILE__, __LINE__, "no jump");
		}
		if (value == 2) _exit(50 + i);
		reap(50 + i);
	}
	return 0;
}
