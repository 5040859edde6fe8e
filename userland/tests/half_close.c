/* A program that ends its own output with shutdown() and reads on. Without
 * argument on a socket pair; with the name of a file as inetd starts a service:
 * what it hears goes into the file. */
#include "test.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

static void say_and_hear(int socket, int file)
{
	char buf[256];
	ssize_t n;

	CHECK(write(socket, "said", 4) == 4);
	OK(shutdown(socket, SHUT_WR));
	FAILS(send(socket, "more", 4, MSG_NOSIGNAL), EPIPE);
	while ((n = OK(read(socket, buf, sizeof buf))) > 0)
		CHECK(write(file, buf, n) == n);
	/* The end stays the end. */
	struct pollfd p = { .fd = socket, .events = POLLIN };
	CHECK(OK(poll(&p, 1, -1)) == 1 && p.revents & POLLIN);
	CHECK(read(socket, buf, sizeof buf) == 0);
}

int main(int argc, char **argv)
{
	char buf[16] = "";
	int pair[2], file[2];

	if (argc > 1) {
		int out = OK(open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644));
		say_and_hear(0, out);
		return 0;
	}
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	OK(pipe(file));
	CHECK(write(pair[1], "heard", 5) == 5);
	OK(shutdown(pair[1], SHUT_WR));
	say_and_hear(pair[0], file[1]);
	CHECK(read(file[0], buf, sizeof buf) == 5 && !strcmp(buf, "heard"));
	CHECK(read(pair[1], buf, sizeof buf) == 4 && !memcmp(buf, "said", 4));
	CHECK(read(pair[1], buf, sizeof buf) == 0);
	return 0;
}
