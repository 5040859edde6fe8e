/* Job control: groups, foreground, stops from the terminal. */
#include "test.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static void job(void)
{
	for (;;) pause();
}

static void background_read(void)
{
	char c;
	read(0, &c, 1);
	_exit(5);
}

/* A shell's part: leads the session and watches its jobs. */
static void shell(void)
{
	int status;

	handle(SIGTTOU, SIG_IGN, 0);
	pid_t pid = OK(fork());
	if (!pid) {
		setpgid(0, 0);
		tcsetpgrp(0, getpid());
		handle(SIGTTOU, SIG_DFL, 0);
		dprintf(1, "go\n");
		job();
	}
	/* the test types Ctrl-Z, then Ctrl-C */
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
	OK(tcsetpgrp(0, getpgrp()));
	OK(tcsetpgrp(0, pid));
	OK(kill(-pid, SIGCONT));
	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	dprintf(1, "again\n");
	CHECK(waitpid(pid, &status, 0) == pid && killed(status, SIGINT));
	OK(tcsetpgrp(0, getpgrp()));

	/* a background job that reads is stopped */
	pid = OK(fork());
	if (!pid) {
		OK(setpgid(0, 0));
		background_read();
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	OK(kill(-pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid && killed(status, SIGKILL));
	_exit(7);
}

static void expect(int fd, const char *word)
{
	static char text[512];
	static size_t n;
	while (!strstr(text, word)) {
		CHECK(n < sizeof text - 1);
		n += OK(read(fd, text + n, sizeof text - 1 - n));
		text[n] = 0;
	}
}

int main(void)
{
	int master, status;
	pid_t pid = OK(forkpty(&master, 0, 0, 0));

	if (!pid) shell();
	expect(master, "go");
	OK(write(master, "\32", 1));
	expect(master, "again");
	OK(write(master, "\3", 1));
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 7));
	return 0;
}
