/* epoll, poll and select agree on what is ready. */
#include "test.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

int main(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0x1234567890abcdefULL }, out[4];
	uint64_t value;
	int fd[2];

	int ep = OK(epoll_create1(EPOLL_CLOEXEC)), efd = OK(eventfd(0, EFD_NONBLOCK));
	OK(pipe(fd));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev));
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &ev), EEXIST);
	ev = (struct epoll_event){ .events = EPOLLIN | EPOLLET, .data.fd = efd };
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, efd, &ev));
	CHECK(epoll_wait(ep, out, 4, 0) == 0 && epoll_wait(ep, out, 4, 10) == 0);

	OK(write(fd[1], "x", 1));
	CHECK(epoll_wait(ep, out, 4, -1) == 1 && out[0].data.u64 == 0x1234567890abcdefULL);
	CHECK(epoll_wait(ep, out, 4, 0) == 1);	/* level */
	value = 3;
	OK(write(efd, &value, 8));
	CHECK(epoll_wait(ep, out, 4, 0) == 2);
	CHECK(epoll_wait(ep, out, 4, 0) == 1);	/* edge: told once */
	OK(write(efd, &value, 8));
	CHECK(read(efd, &value, 8) == 8 && value == 6);
	FAILS(read(efd, &value, 8), EAGAIN);

	struct pollfd p[2] = { { fd[0], POLLIN, 0 }, { efd, POLLIN | POLLOUT, 0 } };
	CHECK(poll(p, 2, -1) == 2 && p[0].revents == POLLIN && p[1].revents == POLLOUT);
	fd_set r, w;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(fd[0], &r), FD_SET(efd, &r), FD_SET(fd[1], &w);
	CHECK(select(64, &r, &w, 0, &(struct timeval){ 5, 0 }) == 2);
	CHECK(FD_ISSET(fd[0], &r) && !FD_ISSET(efd, &r) && FD_ISSET(fd[1], &w));

	/* woken by another process */
	char c;
	OK(read(fd[0], &c, 1));
	pid_t pid = OK(fork());
	if (!pid) {
		usleep(10000);
		OK(write(fd[1], "y", 1));
		_exit(0);
	}
	CHECK(epoll_wait(ep, out, 4, 5000) == 1 && out[0].events == EPOLLIN);
	OK(waitpid(pid, 0, 0));
	OK(close(fd[1]));
	OK(read(fd[0], &c, 1));
	CHECK(epoll_wait(ep, out, 4, 0) == 1 && out[0].events & EPOLLHUP);
	return 0;
}
