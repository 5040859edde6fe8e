/* Pseudo-terminals: line discipline, window size, Ctrl-C, hang-up. */
#include "test.h"
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static char text[256];

/* Reads until the text ends with this. */
static void expect(int fd, const char *end)
{
	size_t n = 0;
	do {
		CHECK(n < sizeof text - 1);
		n += OK(read(fd, text + n, sizeof text - 1 - n));
		text[n] = 0;
	} while (n < strlen(end) || strcmp(text + n - strlen(end), end));
}

static volatile int resized;
static void on_winch(int sig) { (void)sig; resized = 1; }

static void session(void)
{
	struct winsize ws;
	char line[64];

	CHECK(isatty(0) && tcgetsid(0) == getpid() && tcgetpgrp(0) == getpgrp());
	handle(SIGWINCH, on_winch, 0);
	printf("ready\n"), fflush(stdout);
	CHECK(fgets(line, sizeof line, stdin) && !strcmp(line, "hellp\n"));
	OK(ioctl(0, TIOCGWINSZ, &ws));
	printf("%d %d\n", ws.ws_row, ws.ws_col), fflush(stdout);
	while (!resized) pause();
	OK(ioctl(0, TIOCGWINSZ, &ws));
	printf("%d %d\n", ws.ws_row, ws.ws_col), fflush(stdout);
	for (;;) pause();
}

int main(void)
{
	struct winsize ws = { 24, 80, 0, 0 };
	struct termios t;
	int master, status;

	pid_t pid = OK(forkpty(&master, 0, 0, &ws));
	if (!pid) {
		session();
		_exit(0);
	}
	expect(master, "ready\r\n");
	/* two characters erased, two typed */
	CHECK(write(master, "helxx\177\177lp\n", 10) == 10);
	expect(master, "24 80\r\n");
	ws.ws_row = 50, ws.ws_col = 132;
	OK(ioctl(master, TIOCSWINSZ, &ws));
	expect(master, "50 132\r\n");
	OK(tcgetattr(master, &t));
	CHECK(t.c_lflag & ICANON && t.c_cc[VINTR] == 3);
	OK(write(master, "\3", 1));
	CHECK(waitpid(pid, &status, 0) == pid && killed(status, SIGINT));
	/* nobody has the other side open any more */
	while (read(master, text, sizeof text) > 0) ;
	CHECK(errno == EIO);
	return 0;
}
