/* A signal during a blocking call: restarted or EINTR, as asked. */
#include "test.h"
#include <poll.h>
#include <sys/time.h>
#include <time.h>

static volatile int ticks;
static int fd[2];

static void tick(int sig)
{
	(void)sig;
	if (++ticks == 3) OK(write(fd[1], "x", 1));
}

static void every(int ms)
{
	struct itimerval it = { .it_interval.tv_usec = ms * 1000, .it_value.tv_usec = ms * 1000 };
	OK(setitimer(ITIMER_REAL, &it, 0));
}

int main(void)
{
	struct timespec ts = { 5, 0 }, left;
	char c;

	OK(pipe(fd));
	handle(SIGALRM, tick, 0);
	every(10);
	FAILS(read(fd[0], &c, 1), EINTR);
	CHECK(ticks >= 1);

	ticks = 0;
	handle(SIGALRM, tick, SA_RESTART);
	CHECK(read(fd[0], &c, 1) == 1 && ticks == 3);

	/* these never restart */
	FAILS(nanosleep(&ts, &left), EINTR);
	CHECK(left.tv_sec == 4);
	FAILS(poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, 5000), EINTR);
	FAILS(pause(), EINTR);
	every(0);

	/* sigsuspend opens the mask only while it waits */
	sigset_t block, open;
	sigfillset(&block);
	OK(sigprocmask(SIG_SETMASK, &block, 0));
	sigfillset(&open);
	sigdelset(&open, SIGALRM);
	raise(SIGALRM);
	ticks = 10;
	FAILS(sigsuspend(&open), EINTR);
	CHECK(ticks == 11);
	return 0;
}
