/* Processes one after another: as many thousands as the argument says, half of
 * them with a program of their own. After each thousand it says so and waits
 * for a line, so that a test of the host may look at the machine. */
#include "test.h"
#include <pthread.h>

static void *nothing(void *arg) { return arg; }

static void thousand(char *self)
{
	char *argv[] = { self, "child", 0 };
	pthread_t t;
	int status;

	for (int i = 0; i < 1000; i++) {
		pid_t pid = OK(i & 2 ? vfork() : fork());
		if (!pid) {
			if (i & 1) execv(self, argv);
			_exit(i & 0x3f);
		}
		CHECK(waitpid(pid, &status, 0) == pid && exited(status, i & 1 ? 70 : i & 0x3f));
		if (i % 10 == 0) CHECK(!pthread_create(&t, 0, nothing, 0) && !pthread_join(t, 0));
	}
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc > 1 && !strcmp(argv[1], "child")) return 70;
	for (int n = argc > 1 ? atoi(argv[1]) : 1; n > 0; n--) {
		thousand(argv[0]);
		puts("a thousand");
		fflush(stdout);
		if (argc > 1) CHECK(fgets(line, sizeof line, stdin));
	}
	return 0;
}
