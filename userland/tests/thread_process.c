/* Threads and the process: signals, exit, fork and exec from a thread. */
#include "test.h"
#include <pthread.h>

static pthread_t main_thread, hit;
static volatile int hits;
static void handler(int sig) { (void)sig; hit = pthread_self(); hits++; }

static void *spin(void *arg)
{
	while (!hits) ;
	return arg;
}

static void *forks(void *arg)
{
	int status;
	pid_t pid = OK(fork());
	/* the child has this thread alone */
	if (!pid) _exit(getpid() == gettid() ? 4 : 1);
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 4) && gettid() != getpid());
	return arg;
}

static void *leaves(void *arg) { (void)arg; exit(6); }
static void *runs(void *arg)
{
	(void)arg;
	execl("/bin/sh", "sh", "-c", "exit 8", (char *)0);
	return 0;
}

static void process_exits(void)
{
	pthread_t t;
	pthread_create(&t, 0, leaves, 0);
	for (;;) pause();
}

static void process_execs(void)
{
	pthread_t t;
	pthread_create(&t, 0, runs, 0);
	for (;;) pause();
}

int main(void)
{
	pthread_t t;

	main_thread = pthread_self();
	handle(SIGUSR1, handler, 0);
	CHECK(!pthread_create(&t, 0, spin, 0));
	CHECK(!pthread_kill(t, SIGUSR1) && !pthread_join(t, 0));
	CHECK(hits == 1 && hit == t && hit != main_thread);
	CHECK(!pthread_create(&t, 0, forks, 0) && !pthread_join(t, 0));
	CHECK(exited(in_child(process_exits), 6));
	CHECK(exited(in_child(process_execs), 8));
	return 0;
}
