/* Signals reach a program that computes and never calls the kernel. */
#include "test.h"
#include <sys/time.h>
#include <time.h>

static volatile int alarms;
static void tick(int sig) { (void)sig; alarms++; }

static void busy(void)
{
	volatile unsigned n = 0;
	for (;;) n++;
}

static unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int main(void)
{
	struct itimerval it = { .it_interval.tv_usec = 5000, .it_value.tv_usec = 5000 };
	struct timespec ms = { 0, 20000000 };
	int status;

	handle(SIGALRM, tick, 0);
	OK(setitimer(ITIMER_REAL, &it, 0));
	while (alarms < 5) ;
	/* recursion without loops */
	alarms = 0;
	while (alarms < 3) OPAQUE(fib(OPAQUE(18)));
	it = (struct itimerval){ 0 };
	OK(setitimer(ITIMER_REAL, &it, 0));

	/* two of them, and still this process runs: stop, continue, kill */
	pid_t a = OK(fork());
	if (!a) busy();
	pid_t b = OK(fork());
	if (!b) busy();
	OK(nanosleep(&ms, 0));
	OK(kill(a, SIGSTOP));
	CHECK(waitpid(a, &status, WUNTRACED) == a && WIFSTOPPED(status));
	OK(kill(a, SIGCONT));
	CHECK(waitpid(a, &status, WCONTINUED) == a && WIFCONTINUED(status));
	OK(kill(a, SIGKILL));
	OK(kill(b, SIGTERM));
	CHECK(waitpid(a, &status, 0) == a && killed(status, SIGKILL));
	CHECK(waitpid(b, &status, 0) == b && killed(status, SIGTERM));
	return 0;
}
