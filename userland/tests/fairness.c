/* Busy loops share the processor: within a tenth of each other by their own
 * CPU clocks, whatever else the host runs. One that loops in system calls and
 * threads of a process count the same. */
#include "test.h"
#include <pthread.h>
#include <time.h>

static void loop(void) { for (;;) ; }
static void calls(void) { for (;;) getppid(); }

static double used(clockid_t clock)
{
	struct timespec ts;
	OK(clock_gettime(clock, &ts));
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static pid_t start(void (*f)(void))
{
	pid_t pid = OK(fork());
	if (!pid) f();
	return pid;
}

static int fair(double a, double b) { return a <= 1.1 * b && b <= 1.1 * a; }

/* Both clocks over one window that begins when both run. What the host takes
 * away is charged to nobody, or, where the host does not tell, to who runs just
 * then, and made up for afterwards: that may take a while, but what is unfair
 * grows with the window. */
static void share(clockid_t a, clockid_t b, const char *what)
{
	struct timespec ts = { 0, 20000000 };
	double a0, b0, da, db;

	while (used(a) == 0 || used(b) == 0) OK(nanosleep(&ts, 0));
	a0 = used(a), b0 = used(b);
	do {
		OK(nanosleep(&ts, 0));
		da = used(a) - a0, db = used(b) - b0;
	} while (da + db < 1.0 || (!fair(da, db) && da + db < 6.0));
	if (!fair(da, db)) {
		dprintf(2, "%s: %.3f and %.3f s\n", what, da, db);
		_exit(1);
	}
}

static void pair(void (*f)(void), void (*g)(void), const char *what)
{
	pid_t pid[2] = { start(f), start(g) };
	clockid_t clock[2];

	for (int i = 0; i < 2; i++) CHECK(!clock_getcpuclockid(pid[i], &clock[i]));
	share(clock[0], clock[1], what);
	for (int i = 0; i < 2; i++) {
		OK(kill(pid[i], SIGKILL));
		OK(waitpid(pid[i], 0, 0));
	}
}

static volatile int stop;
static void *spin(void *arg)
{
	while (!stop) ;
	return arg;
}

int main(void)
{
	pthread_t t[2];
	clockid_t clock[2];

	pair(loop, loop, "two loops");
	pair(loop, calls, "a loop and a caller");
	for (int i = 0; i < 2; i++) {
		CHECK(!pthread_create(&t[i], 0, spin, 0));
		CHECK(!pthread_getcpuclockid(t[i], &clock[i]));
	}
	share(clock[0], clock[1], "two threads");
	stop = 1;
	for (int i = 0; i < 2; i++) CHECK(!pthread_join(t[i], 0));
	return 0;
}
