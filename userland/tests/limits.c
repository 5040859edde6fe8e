/* Running out of things is an error of the call, not of the machine. */
#include "test.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

static void *sleeps(void *arg) { for (;;) pause(); return arg; }

static void descriptors(void)
{
	struct rlimit rl = { 20, 20 };
	OK(setrlimit(RLIMIT_NOFILE, &rl));
	while (dup(0) >= 0) ;
	CHECK(errno == EMFILE);
}

static void processes(void)
{
	struct rlimit rl = { 5, 5 };
	OK(setrlimit(RLIMIT_NPROC, &rl));
	OK(setuid(4242));
	int n = 0;
	pid_t pid;
	while ((pid = fork()) > 0) n++;
	if (!pid) pause();
	CHECK(errno == EAGAIN && n <= 5);
	signal(SIGTERM, SIG_IGN);
	kill(-1, SIGTERM);
}

static void memory(void)
{
	long total = 0;
	while (mmap(0, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) total += 64;
	CHECK(errno == ENOMEM && total >= 1024);
	CHECK(!OPAQUE(malloc(100 << 20)));
}

static void threads(void)
{
	pthread_t t;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 512 << 20);
	int err = 0;
	for (int i = 0; i < 20 && !err; i++) err = pthread_create(&t, &attr, sleeps, 0);
	CHECK(err == EAGAIN);
}

int main(void)
{
	CHECK(exited(in_child(descriptors), 0));
	CHECK(exited(in_child(processes), 0));
	CHECK(exited(in_child(memory), 0));
	CHECK(exited(in_child(threads), 0));
	/* an argument list that is too long */
	char *big = malloc(1 << 20), *argv[] = { "x", big, 0 };
	memset(big, 'a', (1 << 20) - 1);
	big[(1 << 20) - 1] = 0;
	FAILS(execve("/bin/busybox", argv, argv), E2BIG);
	return 0;
}
