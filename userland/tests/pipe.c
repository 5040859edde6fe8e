/* Pipes: order, blocking, end, SIGPIPE, non-blocking, many writers. */
#include "test.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>

static int fd[2];

static void write_broken(void)
{
	int own[2];
	OK(pipe(own));
	OK(close(own[0]));
	write(own[1], "x", 1);
}

static void writer(void)
{
	static char block[10000];
	close(fd[0]);
	for (int i = 0; i < 100; i++) {
		memset(block, i, sizeof block);
		CHECK(write(fd[1], block, sizeof block) == sizeof block);
	}
}

int main(void)
{
	static char buf[4096];
	long total = 0, n;

	OK(pipe(fd));
	pid_t pid = OK(fork());
	if (!pid) {
		writer();
		_exit(0);
	}
	close(fd[1]);
	while ((n = OK(read(fd[0], buf, sizeof buf))) > 0)
		for (long i = 0; i < n; i++, total++) CHECK(buf[i] == total / 10000);
	CHECK(total == 1000000);
	OK(waitpid(pid, 0, 0));
	close(fd[0]);

	OK(pipe(fd));
	CHECK(killed(in_child(write_broken), SIGPIPE));
	close(fd[0]);
	handle(SIGPIPE, SIG_IGN, 0);
	FAILS(write(fd[1], "x", 1), EPIPE);
	close(fd[1]);

	OK(pipe2(fd, O_NONBLOCK | O_CLOEXEC));
	CHECK(fcntl(fd[0], F_GETFD) == FD_CLOEXEC);
	FAILS(read(fd[0], buf, 1), EAGAIN);
	for (total = 0; (n = write(fd[1], buf, sizeof buf)) > 0; ) total += n;
	CHECK(n == -1 && errno == EAGAIN && total == fcntl(fd[1], F_GETPIPE_SZ));
	struct iovec iov[2] = { { buf, 10 }, { buf + 20, 30 } };
	CHECK(readv(fd[0], iov, 2) == 40);
	struct pollfd p = { .fd = fd[0], .events = POLLIN };
	close(fd[1]);
	CHECK(poll(&p, 1, 0) == 1 && p.revents & POLLIN);
	return 0;
}
