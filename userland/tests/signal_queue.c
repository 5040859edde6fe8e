/* Queued signals: order, values, waiting with a timeout, and what a parent
 * hears of its children. */
#include "test.h"
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

static int order[64], n;
static volatile int chld, stops;
static siginfo_t last;

static void note(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	order[n++] = sig * 100 + si->si_value.sival_int;
}

static void on_child(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	last = *si;
	if (si->si_code == CLD_STOPPED || si->si_code == CLD_CONTINUED) stops++;
	chld++;
}

static void on_pipe(int sig) { (void)sig; n++; }

static void sends(void)
{
	int fd[2];
	OK(pipe(fd));
	OK(close(fd[0]));
	write(fd[1], "x", 1);
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	sigset_t all, set, old;
	siginfo_t si;
	int status;

	sigfillset(&sa.sa_mask);
	sigfillset(&all);
	OK(sigaction(SIGRTMIN, &sa, 0));
	OK(sigaction(SIGRTMIN + 3, &sa, 0));
	OK(sigaction(SIGRTMAX, &sa, 0));
	OK(sigprocmask(SIG_BLOCK, &all, &old));
	/* lower numbers first, each in the order sent; all of them */
	for (int i = 0; i < 3; i++) {
		OK(sigqueue(getpid(), SIGRTMAX, (union sigval){ .sival_int = i }));
		OK(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = i }));
		OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i }));
	}
	OK(sigprocmask(SIG_SETMASK, &old, 0));
	const int sig[] = { SIGRTMIN, SIGRTMIN + 3, SIGRTMAX };
	CHECK(n == 9);
	for (int i = 0; i < 9; i++) CHECK(order[i] == sig[i / 3] * 100 + i % 3);

	/* taken by a call instead: the same order; a poll with no time */
	OK(sigprocmask(SIG_BLOCK, &all, 0));
	OK(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 9 }));
	OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 8 }));
	CHECK(sigtimedwait(&all, &si, &(struct timespec){ 0 }) == SIGRTMIN && si.si_value.sival_int == 8);
	CHECK(si.si_pid == getpid() && si.si_uid == getuid() && si.si_code == SI_QUEUE);
	CHECK(sigwaitinfo(&all, &si) == SIGRTMIN + 3 && si.si_value.sival_int == 9);
	FAILS(sigtimedwait(&all, &si, &(struct timespec){ 0 }), EAGAIN);
	struct timespec a, b;
	OK(clock_gettime(CLOCK_MONOTONIC, &a));
	FAILS(sigtimedwait(&all, &si, &(struct timespec){ 0, 20000000 }), EAGAIN);
	OK(clock_gettime(CLOCK_MONOTONIC, &b));
	CHECK((b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec >= 20000000);
	OK(sigprocmask(SIG_SETMASK, &old, 0));

	/* a signal that is not waited for interrupts */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	OK(sigprocmask(SIG_BLOCK, &set, 0));
	handle(SIGALRM, on_pipe, SA_RESTART);
	alarm(1);
	/* musl's sigwaitinfo() would go on waiting */
	FAILS(syscall(SYS_rt_sigtimedwait_time64, &set, &si, 0, 8), EINTR);

	/* SIGPIPE: fatal, handled, or an error */
	CHECK(killed(in_child(sends), SIGPIPE));
	n = 0;
	handle(SIGPIPE, on_pipe, 0);
	errno = 0;
	sends();
	CHECK(n == 1 && errno == EPIPE);
	handle(SIGPIPE, SIG_IGN, 0);
	errno = 0;
	sends();
	CHECK(errno == EPIPE);

	/* stop, continue, end: told, or not with SA_NOCLDSTOP */
	struct sigaction child = { .sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART };
	for (int nocld = 0; nocld < 2; nocld++) {
		chld = stops = 0;
		child.sa_flags = SA_SIGINFO | SA_RESTART | (nocld ? SA_NOCLDSTOP : 0);
		OK(sigaction(SIGCHLD, &child, 0));
		pid_t pid = OK(fork());
		if (!pid) for (;;) pause();
		OK(kill(pid, SIGSTOP));
		CHECK(waitpid(pid, &status, WUNTRACED) == pid);
		OK(kill(pid, SIGCONT));
		CHECK(waitpid(pid, &status, WCONTINUED) == pid);
		/* the child itself tells, and what is pending already is not sent twice */
		while (!nocld && stops < 2) sched_yield();
		OK(kill(pid, SIGTERM));
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(stops == (nocld ? 0 : 2) && chld == stops + 1);
		CHECK(last.si_pid == pid && last.si_code == CLD_KILLED && last.si_status == SIGTERM);
	}
	/* no zombies, and still a signal */
	child.sa_flags = SA_SIGINFO | SA_NOCLDWAIT | SA_RESTART;
	OK(sigaction(SIGCHLD, &child, 0));
	chld = 0;
	if (!OK(fork())) _exit(6);
	FAILS(wait(&status), ECHILD);
	CHECK(chld == 1 && last.si_status == 6);

	/* to itself while blocked: pending until opened, and then before return */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	handle(SIGUSR1, on_pipe, 0);
	OK(sigprocmask(SIG_BLOCK, &set, 0));
	n = 0;
	for (int i = 0; i < 5; i++) raise(SIGUSR1);
	OK(sigprocmask(SIG_UNBLOCK, &set, 0));
	CHECK(n == 1);
	/* ignored while pending: gone */
	OK(sigprocmask(SIG_BLOCK, &set, 0));
	raise(SIGUSR1);
	handle(SIGUSR1, SIG_IGN, 0);
	handle(SIGUSR1, on_pipe, 0);
	OK(sigprocmask(SIG_UNBLOCK, &set, 0));
	CHECK(n == 1);
	return 0;
}
