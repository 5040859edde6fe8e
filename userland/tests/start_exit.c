/* What runs before and after main, and in which order. */
#include "test.h"

static char order[16];
static int n, out;

__attribute__((constructor(101))) static void first(void) { order[n++] = '1'; }
__attribute__((constructor)) static void second(void) { order[n++] = '2'; }
__attribute__((destructor)) static void last(void) { write(out, "d", 1); }
static void a(void) { write(out, "a", 1); }
static void b(void) { write(out, "b", 1); }

int main(int argc, char **argv, char **envp)
{
	int fd[2], status;
	char text[16] = "";

	CHECK(argc >= 1 && argv[argc] == 0 && envp == environ);
	CHECK(!strcmp(order, "12"));
	OK(pipe(fd));
	pid_t pid = OK(fork());
	if (!pid) {
		out = fd[1];
		CHECK(!atexit(a) && !atexit(b));
		exit(3);
	}
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 3) && read(fd[0], text, 16) == 3 && !strcmp(text, "bad"));
	pid = OK(fork());
	if (!pid) {
		out = fd[1];
		atexit(a);
		_exit(4);
	}
	OK(waitpid(pid, &status, 0));
	OK(close(fd[1]));
	CHECK(exited(status, 4) && read(fd[0], text, 16) == 0);
	out = 2;
	_exit(0);
}
