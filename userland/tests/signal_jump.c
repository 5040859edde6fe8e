/* siglongjmp out of handlers, again and again; the mask comes back. */
#include "test.h"
#include <setjmp.h>
#include <sys/time.h>

static sigjmp_buf env;
static volatile int jumps;

static void out(int sig)
{
	(void)sig;
	siglongjmp(env, ++jumps);
}

static int is_blocked(int sig)
{
	sigset_t set;
	OK(sigprocmask(SIG_BLOCK, 0, &set));
	return sigismember(&set, sig);
}

int main(void)
{
	volatile unsigned spin = 0;

	handle(SIGUSR1, out, 0);
	for (volatile int i = 1; i <= 1000; i++) {
		int value = sigsetjmp(env, 1);
		if (!value) {
			raise(SIGUSR1);
			test_fail(__FILE__, __LINE__, "no jump");
		}
		CHECK(value == i && !is_blocked(SIGUSR1));
	}
	/* without the mask it stays blocked */
	if (!sigsetjmp(env, 0)) raise(SIGUSR1);
	CHECK(is_blocked(SIGUSR1));

	/* out of a loop that makes no system call */
	struct itimerval it = { .it_value.tv_usec = 10000 };
	handle(SIGALRM, out, 0);
	jumps = 0;
	if (!sigsetjmp(env, 1)) {
		OK(setitimer(ITIMER_REAL, &it, 0));
		for (;;) spin++;
	}
	CHECK(jumps == 1 && !is_blocked(SIGALRM));
	return 0;
}
