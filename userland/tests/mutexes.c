/* Kinds of mutexes: recursive, error-checking, robust, priority-inheriting,
 * timed; and the spin lock. */
#include "test.h"
#include <pthread.h>
#include <sched.h>
#include <time.h>

static pthread_mutex_t m;
static int count, entered;

static void make(int type, int robust, int protocol)
{
	pthread_mutexattr_t a;
	CHECK(!pthread_mutexattr_init(&a) && !pthread_mutexattr_settype(&a, type));
	CHECK(!pthread_mutexattr_setrobust(&a, robust));
	CHECK(!pthread_mutexattr_setprotocol(&a, protocol));
	CHECK(!pthread_mutex_init(&m, &a) && !pthread_mutexattr_destroy(&a));
}

static void *try_lock(void *arg)
{
	(void)arg;
	int err = pthread_mutex_trylock(&m);
	if (!err) pthread_mutex_unlock(&m);
	return (void *)(long)err;
}

static void *timed(void *arg)
{
	struct timespec ts = in_ms(CLOCK_REALTIME, 20);
	(void)arg;
	int err = pthread_mutex_timedlock(&m, &ts);
	if (!err) pthread_mutex_unlock(&m);
	return (void *)(long)err;
}

static void *unlock(void *arg) { (void)arg; return (void *)(long)pthread_mutex_unlock(&m); }
static void *dies(void *arg) { CHECK(!pthread_mutex_lock(&m)); return arg; }
static void *waits(void *arg)
{
	(void)arg;
	__atomic_store_n(&entered, 1, __ATOMIC_SEQ_CST);
	long err = pthread_mutex_lock(&m);
	if (err == EOWNERDEAD) CHECK(!pthread_mutex_consistent(&m));
	if (err != ENOTRECOVERABLE) pthread_mutex_unlock(&m);
	return (void *)err;
}

static void *adds(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		CHECK(!pthread_mutex_lock(&m));
		int n = count;
		if (i % 64 == 0) sched_yield();
		count = n + 1;
		CHECK(!pthread_mutex_unlock(&m));
	}
	return arg;
}

static long other(void *(*f)(void *))
{
	pthread_t t;
	void *r;
	CHECK(!pthread_create(&t, 0, f, 0) && !pthread_join(t, &r));
	return (long)r;
}

static void contended(void)
{
	pthread_t t[6];
	count = 0;
	for (int i = 0; i < 6; i++) CHECK(!pthread_create(&t[i], 0, adds, 0));
	for (int i = 0; i < 6; i++) CHECK(!pthread_join(t[i], 0));
	CHECK(count == 12000);
}

/* The owner dies before and while another waits; then nobody mends it. */
static void robust(int protocol)
{
	pthread_t t;
	void *r;

	make(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, protocol);
	contended();
	other(dies);
	CHECK(pthread_mutex_lock(&m) == EOWNERDEAD);
	CHECK(!pthread_mutex_consistent(&m) && !pthread_mutex_unlock(&m));
	other(dies);
	CHECK(other(waits) == EOWNERDEAD);
	CHECK(!pthread_mutex_lock(&m));
	entered = 0;
	CHECK(!pthread_create(&t, 0, waits, 0));
	while (!__atomic_load_n(&entered, __ATOMIC_SEQ_CST)) sched_yield();
	CHECK(!pthread_mutex_unlock(&m) && !pthread_join(t, &r) && !r);
	other(dies);
	CHECK(pthread_mutex_trylock(&m) == EOWNERDEAD);
	CHECK(!pthread_mutex_unlock(&m));
	CHECK(pthread_mutex_lock(&m) == ENOTRECOVERABLE);
	CHECK(pthread_mutex_trylock(&m) == ENOTRECOVERABLE);
}

int main(void)
{
	make(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
	contended();
	CHECK(!pthread_mutex_lock(&m) && other(try_lock) == EBUSY && other(timed) == ETIMEDOUT);
	CHECK(!pthread_mutex_unlock(&m) && !other(timed));

	make(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
	for (int i = 0; i < 3; i++) CHECK(!pthread_mutex_lock(&m));
	for (int i = 0; i < 3; i++) CHECK(other(try_lock) == EBUSY && !pthread_mutex_unlock(&m));
	CHECK(!other(try_lock) && pthread_mutex_unlock(&m) == EPERM);
	contended();

	make(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE);
	CHECK(!pthread_mutex_lock(&m) && pthread_mutex_lock(&m) == EDEADLK);
	CHECK(other(unlock) == EPERM && !pthread_mutex_unlock(&m));
	contended();

	make(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT);
	contended();
	CHECK(!pthread_mutex_lock(&m) && other(try_lock) == EBUSY && other(timed) == ETIMEDOUT);
	CHECK(!pthread_mutex_unlock(&m) && !other(timed));

	robust(PTHREAD_PRIO_NONE);
	robust(PTHREAD_PRIO_INHERIT);

	pthread_spinlock_t spin;
	CHECK(!pthread_spin_init(&spin, 0) && !pthread_spin_lock(&spin));
	CHECK(pthread_spin_trylock(&spin) == EBUSY && !pthread_spin_unlock(&spin));
	CHECK(!pthread_spin_trylock(&spin));
	return 0;
}
