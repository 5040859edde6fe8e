/* vfork suspends its parent alone: other threads run, a signal waits until
 * the child is gone, a killed child releases it. */
#include "test.h"
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

static volatile int stop, spins, hits, child_done, order;
static volatile pid_t child;

static void *spin(void *arg)
{
	while (!stop) spins++;
	return arg;
}

static void handler(int sig) { (void)sig; hits++; order = child_done; }

static void *kills(void *arg)
{
	(void)arg;
	while (!child) ;
	OK(kill(child, SIGKILL));
	return 0;
}

int main(void)
{
	pthread_t t;
	int status;

	CHECK(!pthread_create(&t, 0, spin, 0));
	pid_t pid = vfork();
	if (!pid) {
		int before = spins;
		while (spins - before < 1000) ;
		_exit(9);
	}
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 9));
	stop = 1;
	CHECK(!pthread_join(t, 0));

	/* the child's signal to its suspended parent */
	handle(SIGUSR1, handler, 0);
	pid = vfork();
	if (!pid) {
		kill(getppid(), SIGUSR1);
		for (volatile int i = 0; i < 100000; i++) ;
		child_done = 1;
		_exit(hits);
	}
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 0));
	CHECK(hits == 1 && order == 1);

	/* one that never ends by itself */
	CHECK(!pthread_create(&t, 0, kills, 0));
	pid = vfork();
	if (!pid) {
		child = getpid();
		for (;;) ;
	}
	CHECK(waitpid(pid, &status, 0) == pid && killed(status, SIGKILL));
	CHECK(!pthread_join(t, 0));

	/* nested, and from a deep call */
	pid = vfork();
	if (!pid) {
		pid_t inner = vfork();
		if (!inner) _exit(3);
		_exit(waitpid(inner, &status, 0) == inner && exited(status, 3) ? 4 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 4));

	/* memory that the child maps is the parent's too */
	static char *volatile p;
	pid = vfork();
	if (!pid) {
		p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		*p = 8;
		_exit(0);
	}
	CHECK(*p == 8 && waitpid(pid, &status, 0) == pid);
	return 0;
}
