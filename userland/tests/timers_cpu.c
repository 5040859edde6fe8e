/* Timers that count CPU time, timers for a thread, overruns, changes. */
#include "test.h"
#include <pthread.h>
#include <sched.h>
#include <sys/time.h>
#include <time.h>

static volatile int hits, stop;
static volatile pid_t where;
static siginfo_t seen;

static void hit(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	where = gettid();
	seen = *si;
	hits++;
}

static double used(clockid_t clock)
{
	struct timespec ts;
	OK(clock_gettime(clock, &ts));
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void on(int sig)
{
	struct sigaction sa = { .sa_sigaction = hit, .sa_flags = SA_SIGINFO };
	OK(sigaction(sig, &sa, 0));
}

/* Fires by CPU time, not while it sleeps. */
static void interval(int which, int sig)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } }, off = { 0 };

	on(sig);
	hits = 0;
	OK(setitimer(which, &it, 0));
	OK(nanosleep(&(struct timespec){ 0, 100000000 }, 0));
	CHECK(hits == 0);
	double begin = used(CLOCK_PROCESS_CPUTIME_ID);
	while (hits < 5) ;
	double spent = used(CLOCK_PROCESS_CPUTIME_ID) - begin;
	OK(setitimer(which, &off, 0));
	/* These two count ticks: time that a busy host takes away while the process
	 * runs is in its clock and not in them, so there is no upper bound. */
	CHECK(spent > 0.07);
}

static volatile pid_t tid;
static void *spins(void *arg)
{
	tid = gettid();
	while (!stop) ;
	return arg;
}

static void *waits(void *arg)
{
	tid = gettid();
	while (!stop) sched_yield();
	return arg;
}

static void to_thread(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec often = { { 0, 2000000 }, { 0, 2000000 } };
	timer_t timer;
	pthread_t t;

	on(SIGUSR1);
	hits = stop = tid = 0;
	CHECK(!pthread_create(&t, 0, waits, 0));
	while (!tid) sched_yield();
	ev.sigev_notify_thread_id = tid;
	ev.sigev_value.sival_int = 31;
	OK(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	OK(timer_settime(timer, 0, &often, 0));
	for (int i = 1; i <= 5; i++) {
		while (hits < i) sched_yield();
		CHECK(where == tid && seen.si_code == SI_TIMER && seen.si_value.sival_int == 31);
	}
	OK(timer_delete(timer));
	stop = 1;
	CHECK(!pthread_join(t, 0));
	ev.sigev_notify_thread_id = 31999;
	FAILS(timer_create(CLOCK_MONOTONIC, &ev, &timer), EINVAL);
}

static void cpu_clocks(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec once = { .it_value.tv_nsec = 30000000 }, left;
	clockid_t clock;
	timer_t timer;
	pthread_t t;

	OK(timer_create(CLOCK_PROCESS_CPUTIME_ID, &ev, &timer));
	hits = 0;
	double begin = used(CLOCK_PROCESS_CPUTIME_ID);
	OK(timer_settime(timer, 0, &once, 0));
	while (!hits) ;
	CHECK(used(CLOCK_PROCESS_CPUTIME_ID) - begin > 0.029);
	OK(timer_gettime(timer, &left));
	CHECK(!left.it_value.tv_sec && !left.it_value.tv_nsec);
	OK(timer_delete(timer));

	/* another thread's clock */
	hits = stop = tid = 0;
	CHECK(!pthread_create(&t, 0, spins, 0) && !pthread_getcpuclockid(t, &clock));
	OK(timer_create(clock, &ev, &timer));
	OK(timer_settime(timer, 0, &once, 0));
	while (!hits) sched_yield();
	CHECK(used(clock) > 0.029);
	stop = 1;
	CHECK(!pthread_join(t, 0));
	OK(timer_delete(timer));

	/* a sleep by a CPU clock */
	CHECK(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &once.it_value, 0) == EINVAL);
}

static void overrun(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec often = { { 0, 1000000 }, { 0, 1000000 } }, off = { 0 }, old;
	sigset_t set;
	siginfo_t si;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &set, 0));
	OK(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	OK(timer_settime(timer, 0, &often, 0));
	OK(nanosleep(&(struct timespec){ 0, 20000000 }, 0));
	/* one signal for all of them, with their number */
	CHECK(sigwaitinfo(&set, &si) == SIGRTMIN && si.si_overrun >= 10 && si.si_code == SI_TIMER);
	CHECK(timer_getoverrun(timer) >= 10);
	OK(timer_settime(timer, 0, &off, &old));
	CHECK(old.it_interval.tv_nsec == 1000000);
	OK(timer_delete(timer));
	errno = 0;
	CHECK(timer_delete(timer) == -1 || errno == EINVAL || errno == 0);

	/* nobody is told */
	ev.sigev_notify = SIGEV_NONE;
	OK(timer_create(CLOCK_REALTIME, &ev, &timer));
	off.it_value.tv_sec = 100;
	OK(timer_settime(timer, 0, &off, 0));
	OK(timer_gettime(timer, &old));
	CHECK(old.it_value.tv_sec >= 99);
	OK(timer_delete(timer));
}

int main(void)
{
	interval(ITIMER_VIRTUAL, SIGVTALRM);
	interval(ITIMER_PROF, SIGPROF);
	to_thread();
	cpu_clocks();
	overrun();
	return 0;
}
