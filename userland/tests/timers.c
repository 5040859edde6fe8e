/* Timers: timerfd, POSIX timers with signals and threads, setitimer. */
#include "test.h"
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

static volatile int fired;
static void on_signal(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	fired += si->si_value.sival_int;
}
static void on_thread(union sigval v) { __atomic_fetch_add(&fired, v.sival_int, __ATOMIC_SEQ_CST); }

int main(void)
{
	struct itimerspec often = { { 0, 5000000 }, { 0, 5000000 } };
	struct itimerspec rarely = { { 50, 0 }, { 100, 0 } }, left;
	struct itimerval itv;
	uint64_t ticks;
	timer_t timer;

	int fd = OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	FAILS(read(fd, &ticks, 8), EAGAIN);
	OK(timerfd_settime(fd, 0, &often, 0));
	usleep(30000);
	CHECK(read(fd, &ticks, 8) == 8 && ticks >= 5);
	OK(timerfd_settime(fd, 0, &rarely, 0));
	OK(timerfd_gettime(fd, &left));
	CHECK(left.it_interval.tv_sec == 50 && left.it_value.tv_sec >= 50 && left.it_value.tv_sec < 100);

	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 10 };
	OK(sigaction(SIGUSR1, &sa, 0));
	OK(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	OK(timer_settime(timer, 0, &often, 0));
	while (fired < 30) pause();
	OK(timer_delete(timer));

	fired = 0;
	ev = (struct sigevent){ .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread, .sigev_value.sival_int = 1 };
	OK(timer_create(CLOCK_REALTIME, &ev, &timer));
	OK(timer_settime(timer, 0, &often, 0));
	while (fired < 3) usleep(1000);
	OK(timer_delete(timer));

	itv = (struct itimerval){ .it_value.tv_sec = 100 };
	OK(setitimer(ITIMER_REAL, &itv, 0));
	CHECK(alarm(0) >= 99);
	OK(getitimer(ITIMER_REAL, &itv));
	CHECK(!itv.it_value.tv_sec && !itv.it_value.tv_usec);
	return 0;
}
