/* Clocks go forward, sleeping takes the time it says. */
#include "test.h"
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static double now(clockid_t clock)
{
	struct timespec ts;
	OK(clock_gettime(clock, &ts));
	CHECK(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(void)
{
	struct timespec ts = { 0, 30000000 }, at;
	double last = now(CLOCK_MONOTONIC), cpu, t;

	CHECK(now(CLOCK_REALTIME) > 1.6e9 && time(0) > 1600000000);
	for (int i = 0; i < 10000; i++) {
		t = now(CLOCK_MONOTONIC);
		CHECK(t >= last);
		last = t;
	}
	t = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	OK(nanosleep(&ts, 0));
	t = now(CLOCK_MONOTONIC) - t, cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	CHECK(t >= 0.03 && t < 5 && cpu < 0.03);

	OK(clock_gettime(CLOCK_MONOTONIC, &at));
	t = now(CLOCK_MONOTONIC);
	if ((at.tv_nsec += 20000000) >= 1000000000) at.tv_sec++, at.tv_nsec -= 1000000000;
	CHECK(!clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, 0));
	CHECK(now(CLOCK_MONOTONIC) - t >= 0.0199);
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 0, -1 }, 0) == EINVAL);

	/* computing costs CPU time */
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	t = now(CLOCK_MONOTONIC);
	while (now(CLOCK_MONOTONIC) - t < 0.05) ;
	CHECK(now(CLOCK_PROCESS_CPUTIME_ID) > cpu && now(CLOCK_THREAD_CPUTIME_ID) > 0);

	struct tm tm;
	time_t big = 4102444800;	/* 2100-01-01, beyond 32 bits */
	CHECK(gmtime_r(&big, &tm) && tm.tm_year == 200 && tm.tm_mon == 0 && timegm(&tm) == big);
	return 0;
}
