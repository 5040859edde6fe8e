/* pidfds: open, poll, send a signal, waitid, clone with one, take a file. */
#include "test.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>

#define P_PIDFD_ 3
#define CLONE_PIDFD_ 0x1000

static int pidfd_open(pid_t pid, unsigned flags) { return syscall(SYS_pidfd_open, pid, flags); }
static int send(int fd, int sig, siginfo_t *si) { return syscall(SYS_pidfd_send_signal, fd, sig, si, 0); }

static int readable(int fd, int timeout)
{
	return OK(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, timeout));
}

int main(void)
{
	siginfo_t si;
	int other[2];

	OK(pipe(other));
	pid_t pid = OK(fork());
	if (!pid) for (;;) pause();
	int fd = OK(pidfd_open(pid, 0));
	CHECK(OK(fcntl(fd, F_GETFD)) & FD_CLOEXEC);
	CHECK(!readable(fd, 0));
	OK(send(fd, 0, 0));

	/* the child's end of a pipe, taken from it */
	int taken = OK(syscall(SYS_pidfd_getfd, fd, other[1], 0));
	OK(write(taken, "x", 1));
	char c;
	CHECK(read(other[0], &c, 1) == 1 && c == 'x');

	OK(send(fd, SIGTERM, 0));
	CHECK(readable(fd, 10000));
	/* a zombie is found; then nobody is */
	CHECK(!waitid(P_PIDFD_, fd, &si, WEXITED | WNOWAIT) && si.si_pid == pid);
	CHECK(!waitid(P_PIDFD_, fd, &si, WEXITED));
	CHECK(si.si_code == CLD_KILLED && si.si_status == SIGTERM);
	FAILS(send(fd, 0, 0), ESRCH);
	FAILS(waitid(P_PIDFD_, fd, &si, WEXITED), ECHILD);
	FAILS(pidfd_open(pid, 0), ESRCH);
	OK(close(fd));
	FAILS(pidfd_open(-1, 0), EINVAL);
	FAILS(send(other[0], 0, 0), EBADF);

	/* clone gives one with the child */
	int from_clone = -1;
	pid = OK(syscall(SYS_clone, CLONE_PIDFD_ | SIGCHLD, 0, &from_clone, 0, 0));
	if (!pid) _exit(7);
	CHECK(from_clone >= 0 && readable(from_clone, 10000));
	CHECK(!waitid(P_PIDFD_, from_clone, &si, WEXITED) && si.si_status == 7);

	/* nonblocking: would wait */
	pid = OK(fork());
	if (!pid) for (;;) pause();
	fd = OK(pidfd_open(pid, O_NONBLOCK));
	FAILS(waitid(P_PIDFD_, fd, &si, WEXITED), EAGAIN);
	OK(send(fd, SIGKILL, 0));
	CHECK(readable(fd, 10000) && !waitid(P_PIDFD_, fd, &si, WEXITED));
	return 0;
}
