/* A system call that works for long without sleeping: others get their turns
 * meanwhile, and a signal ends it. The kernel took no interrupt in such a call, so
 * that two that waited for each other did so for ever: fuzzing, round 20788036321. */
#include "test.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/time.h>
#include <sys/uio.h>

#define PART (1 << 20)
#define PARTS 1000

static char zeros[PART];
static struct iovec parts[PARTS];
static int zero;

/* A gigabyte: a tenth of a second at least. */
static ssize_t long_call(void) { return readv(zero, parts, PARTS); }

static volatile unsigned wakes;
static void *sleeper(void *arg)
{
	const struct timespec ms = { 0, 1000000 };

	for (;;) {
		OK(nanosleep(&ms, 0));
		wakes++;
	}
	return arg;
}

static void others_run(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, 0, sleeper, 0));
	while (!wakes) sched_yield();
	unsigned before = wakes;
	CHECK(long_call() == (ssize_t)PART * PARTS);
	CHECK(wakes - before >= 5);
}

static volatile sig_atomic_t alarms;
static void on_alarm(int sig) { alarms += sig == SIGALRM; }

static void a_signal_ends_it(void)
{
	const struct itimerval soon = { { 0, 0 }, { 0, 5000 } };

	handle(SIGALRM, on_alarm, 0);
	OK(setitimer(ITIMER_REAL, &soon, 0));
	ssize_t done = long_call();
	CHECK(alarms == 1 && done > 0 && done < (ssize_t)PART * PARTS);
}

int main(void)
{
	zero = OK(open("/dev/zero", O_RDONLY));
	for (unsigned i = 0; i < PARTS; i++) parts[i] = (struct iovec){ zeros, PART };
	a_signal_ends_it();
	others_run();
	return 0;
}
