/* Threads: create, join, mutex, condition, semaphore, barrier, once. */
#include "test.h"
#include <pthread.h>
#include <semaphore.h>

#define N 8
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t sem;
static int count, turn, inits;

static void init(void) { inits++; }

static void *work(void *arg)
{
	long me = (long)arg;

	pthread_once(&once, init);
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock);
		count++;
		pthread_mutex_unlock(&lock);
	}
	pthread_barrier_wait(&barrier);
	CHECK(count == N * 1000 && inits == 1);
	for (int round = 0; round < 20; round++) {
		pthread_mutex_lock(&lock);
		while (turn % N != me) pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	sem_post(&sem);
	return (void *)(me * me);
}

static void *detached(void *arg) { (void)arg; sem_post(&sem); return 0; }
static void *exits(void *arg) { pthread_exit(arg); }

int main(void)
{
	pthread_t t[N];
	pthread_attr_t attr;
	void *result;

	CHECK(!sem_init(&sem, 0, 0) && !pthread_barrier_init(&barrier, 0, N));
	for (long i = 0; i < N; i++) CHECK(!pthread_create(&t[i], 0, work, (void *)i));
	for (long i = 0; i < N; i++) CHECK(!pthread_join(t[i], &result) && (long)result == i * i);
	CHECK(turn == N * 20);
	for (int i = 0; i < N; i++) OK(sem_wait(&sem));
	FAILS(sem_trywait(&sem), EAGAIN);

	CHECK(!pthread_attr_init(&attr) && !pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
	for (int i = 0; i < 200; i++) {
		CHECK(!pthread_create(&t[0], &attr, detached, 0));
		OK(sem_wait(&sem));
	}
	for (long i = 1; i < 500; i++) {
		CHECK(!pthread_create(&t[0], 0, exits, (void *)i));
		CHECK(!pthread_join(t[0], &result) && (long)result == i);
	}
	CHECK(pthread_mutex_trylock(&lock) == 0 && pthread_mutex_trylock(&lock) == EBUSY);
	return 0;
}
