/* Condition variables with both clocks, read-write locks, semaphores,
 * barriers, once: also with waiters that time out or are cancelled. */
#include "test.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static int ready, woken, serial, readers, writers;

static int passed(clockid_t clock, struct timespec t)
{
	struct timespec ts;
	OK(clock_gettime(clock, &ts));
	return ts.tv_sec > t.tv_sec || (ts.tv_sec == t.tv_sec && ts.tv_nsec >= t.tv_nsec);
}

static void unlock(void *arg) { woken++; pthread_mutex_unlock(arg); }

static void *waits(void *arg)
{
	CHECK(!pthread_mutex_lock(&m));
	pthread_cleanup_push(unlock, &m);
	ready++;
	while (ready < 100) CHECK(!pthread_cond_wait(&cond, &m));
	pthread_cleanup_pop(1);
	return arg;
}

static void await(int n)
{
	CHECK(!pthread_mutex_lock(&m));
	while (ready < n) {
		CHECK(!pthread_mutex_unlock(&m));
		sched_yield();
		CHECK(!pthread_mutex_lock(&m));
	}
}

static void conditions(clockid_t clock)
{
	pthread_condattr_t a;
	pthread_t t[10];

	CHECK(!pthread_condattr_init(&a) && !pthread_condattr_setclock(&a, clock));
	CHECK(!pthread_cond_init(&cond, &a));
	CHECK(!pthread_mutex_lock(&m));
	struct timespec end = in_ms(clock, 20);
	while (!passed(clock, end)) {
		int err = pthread_cond_timedwait(&cond, &m, &end);
		CHECK(!err || err == ETIMEDOUT);
		CHECK(err != ETIMEDOUT || passed(clock, end));
	}
	CHECK(!pthread_mutex_unlock(&m));

	/* ten wait; one is cancelled, the others get the broadcast */
	ready = woken = 0;
	for (int i = 0; i < 10; i++) CHECK(!pthread_create(&t[i], 0, waits, 0));
	await(10);
	CHECK(!pthread_mutex_unlock(&m));
	void *r;
	CHECK(!pthread_cancel(t[4]) && !pthread_join(t[4], &r) && r == PTHREAD_CANCELED && woken == 1);
	CHECK(!pthread_mutex_lock(&m));
	ready = 100;
	CHECK(!pthread_cond_broadcast(&cond) && !pthread_mutex_unlock(&m));
	for (int i = 0; i < 10; i++) if (i != 4) CHECK(!pthread_join(t[i], 0));
	CHECK(woken == 10 && !pthread_cond_destroy(&cond));
}

static void *reads(void *arg)
{
	for (int i = 0; i < 300; i++) {
		CHECK(!pthread_rwlock_rdlock(&rw));
		__atomic_fetch_add(&readers, 1, __ATOMIC_SEQ_CST);
		CHECK(!writers);
		if (i % 16 == 0) sched_yield();
		__atomic_fetch_sub(&readers, 1, __ATOMIC_SEQ_CST);
		CHECK(!pthread_rwlock_unlock(&rw));
	}
	return arg;
}

static void *writes(void *arg)
{
	for (int i = 0; i < 300; i++) {
		CHECK(!pthread_rwlock_wrlock(&rw));
		CHECK(++writers == 1 && !readers);
		if (i % 16 == 0) sched_yield();
		writers--;
		CHECK(!pthread_rwlock_unlock(&rw));
	}
	return arg;
}

static void *meets(void *arg)
{
	for (int i = 0; i < 50; i++) {
		int r = pthread_barrier_wait(&barrier);
		CHECK(!r || r == PTHREAD_BARRIER_SERIAL_THREAD);
		if (r) __atomic_fetch_add(&serial, 1, __ATOMIC_SEQ_CST);
	}
	return arg;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static volatile int inits;
static void slow_init(void)
{
	inits++;
	/* the first is cancelled in its middle: the next one begins anew */
	if (inits == 1) for (;;) pause();
}
static void *inits_once(void *arg) { CHECK(!pthread_once(&once, slow_init)); return arg; }

static void *takes(void *arg)
{
	struct timespec ts = in_ms(CLOCK_REALTIME, 10000);
	for (int i = 0; i < 100; i++) OK(sem_timedwait(&sem, &ts));
	return arg;
}

static int c11(void *arg) { thrd_yield(); return *(int *)arg; }

int main(void)
{
	pthread_t t[8];
	struct timespec ts;

	conditions(CLOCK_REALTIME);
	conditions(CLOCK_MONOTONIC);

	for (int i = 0; i < 6; i++) CHECK(!pthread_create(&t[i], 0, i & 1 ? writes : reads, 0));
	for (int i = 0; i < 6; i++) CHECK(!pthread_join(t[i], 0));
	CHECK(!pthread_rwlock_rdlock(&rw) && !pthread_rwlock_tryrdlock(&rw));
	CHECK(pthread_rwlock_trywrlock(&rw) == EBUSY);
	ts = in_ms(CLOCK_REALTIME, 10);
	CHECK(pthread_rwlock_timedwrlock(&rw, &ts) == ETIMEDOUT && passed(CLOCK_REALTIME, ts));

	CHECK(!pthread_barrier_init(&barrier, 0, 8));
	for (int i = 0; i < 8; i++) CHECK(!pthread_create(&t[i], 0, meets, 0));
	for (int i = 0; i < 8; i++) CHECK(!pthread_join(t[i], 0));
	CHECK(serial == 50 && !pthread_barrier_destroy(&barrier));

	CHECK(!pthread_create(&t[0], 0, inits_once, 0));
	while (!inits) sched_yield();
	CHECK(!pthread_create(&t[1], 0, inits_once, 0));
	CHECK(!pthread_cancel(t[0]) && !pthread_join(t[0], 0) && !pthread_join(t[1], 0));
	CHECK(inits == 2);

	OK(sem_init(&sem, 0, 0));
	ts = in_ms(CLOCK_REALTIME, 10);
	FAILS(sem_timedwait(&sem, &ts), ETIMEDOUT);
	for (int i = 0; i < 4; i++) CHECK(!pthread_create(&t[i], 0, takes, 0));
	for (int i = 0; i < 400; i++) {
		OK(sem_post(&sem));
		if (i % 8 == 0) sched_yield();
	}
	for (int i = 0; i < 4; i++) CHECK(!pthread_join(t[i], 0));
	int value;
	OK(sem_getvalue(&sem, &value));
	CHECK(value == 0);

	thrd_t thread;
	int seven = 7, result;
	CHECK(thrd_create(&thread, c11, &seven) == thrd_success);
	CHECK(thrd_join(thread, &result) == thrd_success && result == 7);
	return 0;
}
