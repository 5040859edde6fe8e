/* Pseudo-terminals: line discipline, window size, Ctrl-C, hang-up, a writer that waits. */
#include "test.h"
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/time.h>
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

static void nothing(int sig) { (void)sig; }

static void until_asleep(pid_t pid)
{
	const time_t deadline = time(0) + 30;
	char path[32], state;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	do {
		FILE *f = fopen(path, "r");
		CHECK(f && fscanf(f, "%*d %*s %c", &state) == 1);
		fclose(f);
		CHECK(time(0) < deadline);
	} while (state != 'S');
}

/* Who would set a terminal when its writer is done waits for that, or for a signal.
 * A signal once made it try again for ever. */
static void set_behind_a_writer(void)
{
	const struct itimerval often = { { 0, 10000 }, { 0, 10000 } };
	struct termios t;
	int master, slave, status;

	OK(openpty(&master, &slave, 0, 0, 0));
	OK(tcgetattr(slave, &t));
	pid_t writer = OK(fork());
	if (!writer) for (;;) OK(write(slave, text, sizeof text));
	until_asleep(writer);

	pid_t pid = OK(fork());
	if (!pid) {
		handle(SIGALRM, nothing, 0);
		OK(setitimer(ITIMER_REAL, &often, 0));
		FAILS(tcsetattr(slave, TCSADRAIN, &t), EINTR);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 0));

	pid = OK(fork());
	if (!pid) {
		tcsetattr(slave, TCSADRAIN, &t);
		_exit(0);
	}
	until_asleep(pid);
	OK(kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid && killed(status, SIGKILL));

	OK(kill(writer, SIGKILL));
	CHECK(waitpid(writer, &status, 0) == writer);
	close(master);
	close(slave);
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
	set_behind_a_writer();
	return 0;
}
