/* Handlers: arguments, masks while they run, nesting, one-shot. */
#include "test.h"

static volatile int count, depth, deepest, more;
static siginfo_t seen;

static void info(int sig, siginfo_t *si, void *ctx)
{
	sigset_t mask;

	CHECK(sig == SIGUSR1 && ctx);
	seen = *si;
	OK(sigprocmask(SIG_BLOCK, 0, &mask));
	CHECK(sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGUSR2));
	CHECK(!sigismember(&mask, SIGHUP));
	count++;
}

static void nest(int sig)
{
	if (++depth > deepest) deepest = depth;
	if (more-- > 0) raise(sig);
	depth--;
}

static void once(int sig) { (void)sig; count++; }

int main(void)
{
	struct sigaction sa = { .sa_sigaction = info, .sa_flags = SA_SIGINFO }, old;
	sigset_t set, before, pending;

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	OK(sigaction(SIGUSR1, &sa, 0));
	OK(sigprocmask(SIG_BLOCK, 0, &before));
	OK(kill(getpid(), SIGUSR1));
	CHECK(count == 1 && seen.si_pid == getpid() && seen.si_code == SI_USER);
	CHECK(!sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 77 }));
	CHECK(count == 2 && seen.si_code == SI_QUEUE && seen.si_value.sival_int == 77);
	OK(sigprocmask(SIG_BLOCK, 0, &set));
	CHECK(!memcmp(&set, &before, 8));

	/* blocked: pending, then delivered once */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &set, 0));
	raise(SIGUSR1), raise(SIGUSR1);
	OK(sigpending(&pending));
	CHECK(count == 2 && sigismember(&pending, SIGUSR1));
	OK(sigprocmask(SIG_UNBLOCK, &set, 0));
	CHECK(count == 3);

	handle(SIGUSR2, nest, SA_NODEFER);
	more = 4;
	raise(SIGUSR2);
	CHECK(depth == 0 && deepest == 5 && more == -1);
	/* without NODEFER each comes after the one before */
	handle(SIGUSR2, nest, 0);
	more = 4, deepest = 0;
	raise(SIGUSR2);
	CHECK(depth == 0 && deepest == 1 && more == -1);

	handle(SIGUSR1, once, SA_RESETHAND);
	raise(SIGUSR1);
	OK(sigaction(SIGUSR1, 0, &old));
	CHECK(count == 4 && old.sa_handler == SIG_DFL);
	FAILS(sigaction(SIGKILL, &sa, 0), EINVAL);
	return 0;
}
