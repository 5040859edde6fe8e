/* How threads end: detached, by exit from main, with cleanup handlers and
 * thread-specific data in the order that POSIX says; what they leave behind. */
#include "test.h"
#include <dirent.h>
#include <pthread.h>
#include <sched.h>

static char order[32];
static volatile int n;
static pthread_key_t key, again;
static int rounds;
static volatile int stop;

static void note(void *c) { order[n++] = *(char *)c; }
static void destroy(void *value) { note(value); }
static void once_more(void *value)
{
	/* set anew in the destructor: called again, a bounded number of times */
	if (++rounds < 3) pthread_setspecific(again, value);
}

static void *ordered(void *arg)
{
	pthread_setspecific(key, "t");
	pthread_setspecific(again, "a");
	pthread_cleanup_push(note, "1");
	pthread_cleanup_push(note, "2");
	pthread_cleanup_push(note, "x");
	pthread_cleanup_pop(0);
	if (arg) for (;;) pthread_testcancel();
	pthread_exit("result");
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return 0;
}

static void *loops_async(void *arg)
{
	volatile unsigned i = 0;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
	pthread_cleanup_push(note, "c");
	__atomic_store_n((int *)arg, 1, __ATOMIC_SEQ_CST);
	for (;;) i++;
	pthread_cleanup_pop(0);
	return 0;
}

static void *outlives(void *arg)
{
	(void)arg;
	while (!stop) sched_yield();
	_exit(17);
}

static void main_thread_leaves(void)
{
	pthread_t t;
	CHECK(!pthread_create(&t, 0, outlives, 0));
	stop = 1;
	pthread_exit(0);
}

static void *last_one(void *arg) { return arg; }
static void all_leave(void)
{
	pthread_t t;
	CHECK(!pthread_create(&t, 0, last_one, 0));
	pthread_exit(0);
}

static void *joins(void *arg)
{
	void *r;
	CHECK(!pthread_join(*(pthread_t *)arg, &r));
	return r;
}

static void *gated(void *arg)
{
	while (!stop) sched_yield();
	return arg;
}

static int tasks(void)
{
	int k = 0;
	DIR *d = opendir("/proc/self/task");
	CHECK(d);
	while (readdir(d)) k++;
	closedir(d);
	return k - 2;
}

int main(void)
{
	pthread_t t[4], first;
	pthread_attr_t attr;
	void *result;
	size_t size;
	int flag = 0;

	CHECK(!pthread_key_create(&key, destroy) && !pthread_key_create(&again, once_more));
	CHECK(!pthread_create(&first, 0, ordered, 0) && !pthread_join(first, &result));
	CHECK(!strcmp(result, "result") && rounds == 3 && !strcmp(order, "21t"));
	memset(order, n = rounds = 0, sizeof order);
	CHECK(!pthread_create(&first, 0, ordered, (void *)1) && !pthread_cancel(first));
	CHECK(!pthread_join(first, &result) && result == PTHREAD_CANCELED);
	CHECK(!strcmp(order, "21t") || !*order);

	memset(order, n = 0, sizeof order);
	for (int i = 0; i < 20; i++) {
		flag = 0;
		CHECK(!pthread_create(&first, 0, loops_async, &flag));
		while (!__atomic_load_n(&flag, __ATOMIC_SEQ_CST)) sched_yield();
		CHECK(!pthread_cancel(first) && !pthread_join(first, &result));
		CHECK(result == PTHREAD_CANCELED && n == i + 1);
	}

	/* joined by another thread than the one that made it */
	CHECK(!pthread_create(&t[0], 0, gated, "a") && !pthread_create(&t[1], 0, joins, &t[0]));
	stop = 1;
	CHECK(!pthread_join(t[1], &result) && !strcmp(result, "a"));
	stop = 0;
	CHECK(!pthread_create(&t[0], 0, gated, 0) && pthread_tryjoin_np(t[0], &result) == EBUSY);
	CHECK(!pthread_detach(t[0]));
	stop = 1;
	while (tasks() > 1) sched_yield();

	/* stacks: as asked for, and a small one that is not run over */
	CHECK(!pthread_getattr_np(pthread_self(), &attr));
	CHECK(!pthread_attr_getstack(&attr, &result, &size) && (char *)&attr > (char *)result);
	CHECK((char *)&attr < (char *)result + size);
	CHECK(!pthread_attr_init(&attr) && pthread_attr_setstacksize(&attr, 100) == EINVAL);
	CHECK(!pthread_attr_setstacksize(&attr, 1 << 20) && !pthread_attr_setguardsize(&attr, 65536));
	CHECK(!pthread_create(&t[0], &attr, last_one, "s") && !pthread_join(t[0], &result));
	static char mine[65536] __attribute__((aligned(16)));
	CHECK(!pthread_attr_setstack(&attr, mine, sizeof mine));
	CHECK(!pthread_create(&t[0], &attr, last_one, "s") && !pthread_join(t[0], &result));

	CHECK(exited(in_child(main_thread_leaves), 17));
	CHECK(exited(in_child(all_leave), 0));
	return 0;
}
