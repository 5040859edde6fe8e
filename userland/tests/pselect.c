/* pselect and ppoll wait with another signal mask, and give the old one back. */
#include "test.h"
#include <poll.h>
#include <sys/select.h>

static volatile int caught;
static void count(int sig) { (void)sig; caught++; }

static int end;

static int with_select(const struct timespec *time, const sigset_t *mask)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(end, &set);
	return pselect(end + 1, &set, 0, 0, time, mask);
}

static int with_poll(const struct timespec *time, const sigset_t *mask)
{
	return ppoll(&(struct pollfd){ .fd = end, .events = POLLIN }, 1, time, mask);
}

static void check(int (*wait)(const struct timespec *, const sigset_t *))
{
	const struct timespec now = { 0, 0 }, soon = { 0, 1000000 }, late = { 60, 0 };
	sigset_t blocked, none, mask;
	int fds[2];

	OK(pipe(fds));
	end = fds[0];
	caught = 0;
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	OK(sigprocmask(SIG_SETMASK, &blocked, 0));
	raise(SIGUSR1);
	CHECK(wait(&now, 0) == 0 && wait(&soon, &blocked) == 0 && !caught);
	FAILS(wait(&late, &none), EINTR);
	CHECK(caught == 1);
	OK(sigprocmask(SIG_SETMASK, 0, &mask));
	CHECK(sigismember(&mask, SIGUSR1));
	OK(write(fds[1], "x", 1));
	CHECK(wait(&late, &none) == 1 && wait(0, &blocked) == 1);
	OK(close(fds[0]));
	OK(close(fds[1]));
}

int main(void)
{
	handle(SIGUSR1, count, 0);
	check(with_select);
	check(with_poll);
	return 0;
}
