/* Process groups and sessions: who may change them, what an orphaned group and
 * a lost leader bring. */
#include "test.h"
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static int ready[2];

static void say(char c) { OK(write(ready[1], &c, 1)); }
static char hear(void)
{
	char c = 0;
	CHECK(read(ready[0], &c, 1) == 1);
	return c;
}

static volatile int hups, conts;
static void on_hup(int sig) { (void)sig; hups++; }
static void on_cont(int sig) { (void)sig; conts++; }

/* A stopped job whose shell dies gets SIGHUP, then SIGCONT. */
static void orphan(void)
{
	pid_t pid = OK(fork());

	if (!pid) {
		OK(setpgid(0, 0));
		handle(SIGHUP, on_hup, 0);
		handle(SIGCONT, on_cont, 0);
		say('1');
		raise(SIGSTOP);
		say(hups == 1 && conts == 1 ? 'y' : 'n');
		_exit(0);
	}
	int status;
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	_exit(0);
}

/* A leader's death: its foreground group gets SIGHUP and loses the terminal. */
static void leader(void)
{
	int master, slave;

	OK(openpty(&master, &slave, 0, 0, 0));
	OK(setsid());
	OK(ioctl(slave, TIOCSCTTY, 0));
	CHECK(tcgetpgrp(slave) == getpid() && tcgetsid(slave) == getpid());
	pid_t pid = OK(fork());
	if (!pid) {
		OK(setpgid(0, 0));
		handle(SIGHUP, on_hup, 0);
		handle(SIGTTOU, SIG_IGN, 0);
		OK(tcsetpgrp(slave, getpid()));
		say('1');
		while (!hups) pause();
		FAILS(open("/dev/tty", O_RDWR), ENXIO);
		say('h');
		_exit(0);
	}
	CHECK(hear() == '1');
	_exit(0);
}

/* The terminal's other end is closed. */
static void hangup(void)
{
	int master;
	pid_t pid = OK(forkpty(&master, 0, 0, 0));

	if (!pid) {
		handle(SIGHUP, on_hup, 0);
		say('1');
		while (!hups) pause();
		char c;
		CHECK(read(0, &c, 1) == 0);
		FAILS(write(1, "x", 1), EIO);
		say('H');
		_exit(0);
	}
	CHECK(hear() == '1');
	OK(close(master));
	CHECK(hear() == 'H');
	_exit(0);
}

int main(void)
{
	int status;

	OK(pipe(ready));
	/* a group of one's own; into a group of the same session only */
	pid_t a = OK(fork());
	if (!a) for (;;) pause();
	pid_t b = OK(fork());
	if (!b) for (;;) pause();
	OK(setpgid(a, a));
	CHECK(getpgid(a) == a && getpgid(b) == getpgrp());
	OK(setpgid(b, a));
	CHECK(getpgid(b) == a);
	OK(kill(-a, SIGTERM));
	CHECK(waitpid(-a, &status, 0) > 0 && waitpid(-a, &status, 0) > 0);
	FAILS(waitpid(-a, &status, 0), ECHILD);
	FAILS(kill(-a, 0), ESRCH);
	FAILS(setpgid(1, 1), ESRCH);
	FAILS(setpgid(0, -1), EINVAL);

	pid_t pid = OK(fork());
	if (!pid) {
		OK(setsid());
		CHECK(getsid(0) == getpid() && getpgrp() == getpid());
		FAILS(setsid(), EPERM);
		FAILS(setpgid(0, 0), EPERM);
		FAILS(open("/dev/tty", O_RDWR), ENXIO);
		say('s');
		for (;;) pause();
	}
	CHECK(hear() == 's');
	FAILS(setpgid(pid, getpgrp()), EPERM);
	OK(kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid && killed(status, SIGKILL));

	/* too late after exec */
	pid = OK(fork());
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "echo -n e >&\"$0\"; read x", (char[]){ '0' + ready[1], 0 }, (char *)0);
		_exit(1);
	}
	CHECK(hear() == 'e');
	FAILS(setpgid(pid, pid), EACCES);
	OK(kill(pid, SIGKILL));
	OK(waitpid(pid, &status, 0));

	CHECK(exited(in_child(orphan), 0));
	CHECK(hear() == '1' && hear() == 'y');
	CHECK(exited(in_child(leader), 0));
	CHECK(hear() == 'h');
	CHECK(exited(in_child(hangup), 0));
	return 0;
}
