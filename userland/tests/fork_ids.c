/* fork: identities, and stdio buffers copied as they are. */
#include "test.h"
#include <pthread.h>

static int order[3], n;
static void prepare(void) { order[n++] = 1; }
static void parent(void) { order[n++] = 2; }
static void child(void) { order[n++] = 3; }

int main(void)
{
	int fd[2], status;
	pid_t self = getpid(), out[3];

	CHECK(gettid() == self);
	OK(pipe(fd));
	CHECK(!pthread_atfork(prepare, parent, child));
	pid_t pid = OK(fork());
	if (!pid) {
		CHECK(n == 2 && order[0] == 1 && order[1] == 3);
		out[0] = getpid(), out[1] = getppid(), out[2] = gettid();
		OK(write(fd[1], out, sizeof out));
		_exit(0);
	}
	CHECK(n == 2 && order[1] == 2);
	CHECK(read(fd[0], out, sizeof out) == sizeof out);
	CHECK(out[0] == pid && out[1] == self && out[2] == pid && pid != self);
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 0));

	/* what stdio holds is written by both */
	FILE *f = tmpfile();
	CHECK(f);
	fputs("x", f);
	pid = OK(fork());
	if (!pid) {
		fclose(f);
		_exit(0);
	}
	OK(waitpid(pid, &status, 0));
	fflush(f);
	CHECK(OK(lseek(fileno(f), 0, SEEK_END)) == 2);
	return 0;
}
