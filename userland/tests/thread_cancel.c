/* Cancellation: in a blocking call, by test, asynchronous, disabled. */
#include "test.h"
#include <pthread.h>
#include <sched.h>

static int fd[2], cleaned;
static volatile int started;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void clean(void *arg) { cleaned += *(int *)arg; }

static void *blocks(void *arg)
{
	char c;
	pthread_cleanup_push(clean, arg);
	started = 1;
	read(fd[0], &c, 1);
	pthread_cleanup_pop(0);
	return 0;
}

static void *waits(void *arg)
{
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(clean, arg);
	pthread_cleanup_push(clean, arg);
	started = 1;
	pthread_cond_wait(&cond, &lock);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return 0;
}

static void *tests(void *arg)
{
	(void)arg;
	for (started = 1;; sched_yield()) pthread_testcancel();
}

static void *async(void *arg)
{
	(void)arg;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
	for (started = 1;;) ;
}

static void *disabled(void *arg)
{
	char c;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, 0);
	started = 1;
	CHECK(read(fd[0], &c, 1) == 1 && c == 'x');
	return arg;
}

static void *run(void *(*f)(void *), int after)
{
	static int one = 1;
	pthread_t t;
	void *result;

	started = 0;
	CHECK(!pthread_create(&t, 0, f, &one));
	while (!started) sched_yield();
	sched_yield();
	CHECK(!pthread_cancel(t));
	if (after) OK(write(fd[1], "x", 1));
	CHECK(!pthread_join(t, &result));
	return result;
}

int main(void)
{
	OK(pipe(fd));
	for (int i = 0; i < 10; i++) CHECK(run(blocks, 0) == PTHREAD_CANCELED);
	CHECK(cleaned == 10);
	CHECK(run(waits, 0) == PTHREAD_CANCELED && cleaned == 12);
	CHECK(run(tests, 0) == PTHREAD_CANCELED);
	CHECK(run(async, 0) == PTHREAD_CANCELED);
	CHECK(run(disabled, 1) != PTHREAD_CANCELED);
	return 0;
}
