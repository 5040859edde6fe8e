/* Which calls a handler interrupts, with SA_RESTART and without: signal(7). */
#include "test.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static volatile int ticks;
static int fd[2], pair[2], lock_fd, ep, msg, sem_id;
static pid_t child;
static volatile int go_on;

/* After the third signal the call can be completed. */
static void tick(int sig)
{
	(void)sig;
	if (++ticks < 3) return;
	OK(write(fd[1], "x", 1));
	OK(write(pair[1], "x", 1));
	kill(child, SIGKILL);
	go_on = 1;
	flock(lock_fd, LOCK_UN);
}

static void drain(void)
{
	char c[16];
	OK(fcntl(fd[0], F_SETFL, O_NONBLOCK));
	OK(fcntl(pair[0], F_SETFL, O_NONBLOCK));
	while (read(fd[0], c, sizeof c) > 0) ;
	while (read(pair[0], c, sizeof c) > 0) ;
	OK(fcntl(fd[0], F_SETFL, 0));
	OK(fcntl(pair[0], F_SETFL, 0));
}

static void every(int ms)
{
	struct itimerval it = { .it_interval.tv_usec = ms * 1000, .it_value.tv_usec = ms * 1000 };
	OK(setitimer(ITIMER_REAL, &it, 0));
}

static int do_read(void) { char c; return read(fd[0], &c, 1); }
static int do_recv(void) { char c; return recv(pair[0], &c, 1, 0); }
static int do_wait(void) { return waitpid(child, 0, 0); }
static int do_waitid(void) { siginfo_t si; return waitid(P_PID, child, &si, WEXITED); }
static int do_flock(void)
{
	/* another open file of the same name holds the lock */
	int mine = OK(open("/tmp/eintr-lock", O_RDWR));
	int r = flock(mine, LOCK_EX);
	int e = errno;
	close(mine);
	errno = e;
	return r;
}
static int do_futex(void)
{
	/* called again, it finds another value */
	go_on = 0;
	int r = syscall(SYS_futex, &go_on, 0, 0, 0, 0, 0);
	return r < 0 && errno == EAGAIN ? 0 : r;
}
static int do_open(void) { return open("/tmp/eintr-fifo", O_RDONLY); }

static int do_poll(void) { return poll(&(struct pollfd){ .fd = fd[0], .events = POLLIN }, 1, -1); }
static int do_select(void)
{
	fd_set set;
	FD_ZERO(&set);
	FD_SET(fd[0], &set);
	return select(fd[0] + 1, &set, 0, 0, 0);
}
static int do_epoll(void) { struct epoll_event e; return epoll_wait(ep, &e, 1, -1); }
static int do_nanosleep(void) { return nanosleep(&(struct timespec){ 20, 0 }, 0); }
static int do_clock(void)
{
	struct timespec ts;
	OK(clock_gettime(CLOCK_MONOTONIC, &ts));
	ts.tv_sec += 20;
	int e = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, 0);
	return e ? (errno = e, -1) : 0;
}
static int do_msgrcv(void) { struct { long t; char c; } m; return msgrcv(msg, &m, 1, 0, 0); }
static int do_semop(void) { return semop(sem_id, &(struct sembuf){ 0, -1, 0 }, 1); }
static int do_pause(void) { return pause(); }
static int do_suspend(void) { sigset_t s; sigemptyset(&s); return sigsuspend(&s); }
static int do_timed_recv(void)
{
	struct timeval tv = { 20, 0 };
	OK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	int r = do_recv(), e = errno;
	tv.tv_sec = 0;
	OK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	errno = e;
	return r;
}

static const struct call {
	const char *name;
	int (*f)(void);
	int restarts;
} calls[] = {
	{ "read", do_read, 1 }, { "recv", do_recv, 1 }, { "waitpid", do_wait, 1 },
	{ "waitid", do_waitid, 1 }, { "flock", do_flock, 1 }, { "futex", do_futex, 1 },
	{ "open", do_open, 2 },
	{ "poll", do_poll, 0 }, { "select", do_select, 0 }, { "epoll_wait", do_epoll, 0 },
	{ "nanosleep", do_nanosleep, 0 }, { "clock_nanosleep", do_clock, 0 },
	{ "msgrcv", do_msgrcv, 0 }, { "semop", do_semop, 0 }, { "pause", do_pause, 0 },
	{ "sigsuspend", do_suspend, 0 }, { "recv with a timeout", do_timed_recv, 0 },
};

static void one(const struct call *c, int flags)
{
	int held = OK(open("/tmp/eintr-lock", O_RDWR));

	child = OK(fork());
	if (!child) for (;;) pause();
	OK(flock(held, LOCK_EX));
	lock_fd = held;
	ticks = 0;
	handle(SIGALRM, tick, flags);
	every(5);
	errno = 0;
	int r = c->f(), e = errno;
	every(0);
	int restarted = flags && c->restarts;
	if (restarted ? r < 0 || ticks < 3 : r != -1 || e != EINTR) {
		dprintf(2, "%s, flags %x: %d (%s) after %d\n", c->name, flags, r, strerror(e), ticks);
		_exit(1);
	}
	kill(child, SIGKILL);
	waitpid(child, 0, 0);
	close(held);
	drain();
}

int main(void)
{
	OK(pipe(fd));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	OK(close(OK(open("/tmp/eintr-lock", O_CREAT | O_RDWR, 0600))));
	OK(mkfifo("/tmp/eintr-fifo", 0600));
	ep = OK(epoll_create1(0));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &(struct epoll_event){ .events = EPOLLIN }));
	msg = OK(msgget(IPC_PRIVATE, 0600));
	sem_id = OK(semget(IPC_PRIVATE, 1, 0600));
	for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
		one(&calls[i], 0);
		/* opening a FIFO restarts, but nobody will open its other end */
		if (calls[i].restarts != 2) one(&calls[i], SA_RESTART);
	}
	OK(msgctl(msg, IPC_RMID, 0));
	OK(semctl(sem_id, 0, IPC_RMID));
	OK(unlink("/tmp/eintr-fifo"));

	/* the time that is left */
	struct timespec left = { 0 };
	handle(SIGALRM, tick, SA_RESTART);
	ticks = -1000;
	every(10);
	FAILS(nanosleep(&(struct timespec){ 7, 500000000 }, &left), EINTR);
	CHECK(left.tv_sec == 7 && left.tv_nsec > 0 && left.tv_nsec < 491000000);
	every(0);

	/* a stop and its end interrupt nothing */
	pid_t pid = OK(fork());
	if (!pid) {
		struct timespec ts = { 0, 200000000 };
		char c;
		CHECK(read(fd[0], &c, 1) == 1);
		_exit(nanosleep(&ts, 0) ? 1 : 0);
	}
	int status;
	for (int i = 0; i < 4; i++) {
		OK(kill(pid, SIGSTOP));
		CHECK(waitpid(pid, &status, WUNTRACED) == pid);
		OK(kill(pid, SIGCONT));
		CHECK(waitpid(pid, &status, WCONTINUED) == pid);
		if (i == 1) OK(write(fd[1], "x", 1));
	}
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 0));
	return 0;
}
