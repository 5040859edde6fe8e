/* Signals and threads: handlers are shared, masks are not; a signal to the
 * process goes to a thread that lets it in; a stop stops all of them. */
#include "test.h"
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static volatile int hits, ready, stop;
static volatile pid_t where;

static void handler(int sig) { (void)sig; where = gettid(); hits++; }

static void block(int how, int sig)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK(!pthread_sigmask(how, &set, 0));
}

static volatile pid_t open_tid;
static void *lets_in(void *arg)
{
	block(SIG_UNBLOCK, SIGUSR1);
	open_tid = gettid();
	ready++;
	if (arg) while (!stop) ;
	else while (!stop) sched_yield();
	return 0;
}

static void *keeps_out(void *arg)
{
	sigset_t set;

	/* inherited from its maker */
	CHECK(!pthread_sigmask(SIG_BLOCK, 0, &set) && sigismember(&set, SIGUSR1));
	ready++;
	while (!stop) sched_yield();
	return arg;
}

static void directed(int busy)
{
	pthread_t t[4];

	ready = stop = hits = 0;
	block(SIG_BLOCK, SIGUSR1);
	for (int i = 0; i < 3; i++) CHECK(!pthread_create(&t[i], 0, keeps_out, 0));
	CHECK(!pthread_create(&t[3], 0, lets_in, busy ? "busy" : 0));
	while (ready < 4) sched_yield();
	for (int i = 1; i <= 50; i++) {
		OK(kill(getpid(), SIGUSR1));
		while (hits < i) sched_yield();
		CHECK(where == open_tid);
	}
	stop = 1;
	for (int i = 0; i < 4; i++) CHECK(!pthread_join(t[i], 0));
	/* nobody lets it in: it waits for the process */
	OK(kill(getpid(), SIGUSR1));
	for (int i = 0; i < 10; i++) sched_yield();
	CHECK(hits == 50);
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK(hits == 51 && where == gettid());
}

/* Pending for a thread is not pending for another. */
static void *private_pending(void *arg)
{
	sigset_t set;

	block(SIG_BLOCK, SIGUSR2);
	ready = 1;
	while (ready == 1) sched_yield();
	OK(sigpending(&set));
	CHECK(sigismember(&set, SIGUSR2));
	int sig;
	CHECK(!sigwait(&set, &sig) && sig == SIGUSR2);
	return arg;
}

static void *waits_for(void *arg)
{
	sigset_t set;
	siginfo_t si;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	ready++;
	CHECK(sigwaitinfo(&set, &si) == SIGRTMIN + 1);
	return (void *)(long)(si.si_value.sival_int + 0 * (long)arg);
}

static volatile unsigned spun[2];
static void *counts(void *arg) { for (;;) spun[(long)arg]++; }

static void many_busy(void)
{
	pthread_t t;
	CHECK(!pthread_create(&t, 0, counts, (void *)0));
	counts((void *)1);
}

static void stop_all(void)
{
	int status;
	pid_t pid = OK(fork());

	if (!pid) many_busy();
	for (int i = 0; i < 5; i++) {
		clockid_t clock;
		struct timespec a, b;

		OK(kill(pid, SIGSTOP));
		CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
		CHECK(!clock_getcpuclockid(pid, &clock));
		OK(clock_gettime(clock, &a));
		OK(nanosleep(&(struct timespec){ 0, 30000000 }, 0));
		OK(clock_gettime(clock, &b));
		CHECK(a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec);
		OK(kill(pid, SIGCONT));
		CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
		do OK(clock_gettime(clock, &b));
		while (a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec && !sched_yield());
	}
	OK(kill(pid, SIGTERM));
	CHECK(waitpid(pid, &status, 0) == pid && killed(status, SIGTERM));
}

int main(void)
{
	pthread_t t[3];
	void *r;

	handle(SIGUSR1, handler, 0);
	directed(0);
	directed(1);

	ready = 0;
	CHECK(!pthread_create(&t[0], 0, private_pending, 0));
	while (!ready) sched_yield();
	CHECK(!pthread_kill(t[0], SIGUSR2));
	sigset_t set;
	OK(sigpending(&set));
	CHECK(!sigismember(&set, SIGUSR2));
	ready = 2;
	CHECK(!pthread_join(t[0], 0));
	CHECK(pthread_kill(pthread_self(), 0) == 0 && pthread_kill(pthread_self(), 999) == EINVAL);
	FAILS(syscall(SYS_tgkill, getpid(), 31999, SIGUSR1), ESRCH);

	/* three wait; each signal wakes one of them */
	block(SIG_BLOCK, SIGRTMIN + 1);
	ready = 0;
	for (long i = 0; i < 3; i++) CHECK(!pthread_create(&t[i], 0, waits_for, (void *)i));
	while (ready < 3) sched_yield();
	for (int i = 1; i <= 3; i++) OK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = i }));
	int sum = 0;
	for (int i = 0; i < 3; i++) {
		CHECK(!pthread_join(t[i], &r));
		sum += (long)r;
	}
	CHECK(sum == 6);
	stop_all();
	return 0;
}
