/* Thread-local storage: initial values, alignment, keys with destructors. */
#include "test.h"
#include <pthread.h>

static _Thread_local int number = 5;
static _Thread_local int zero;
static _Thread_local _Alignas(64) char block[64] = "block";
static pthread_key_t key;
static int destroyed;

static void destroy(void *value) { destroyed += *(int *)value; }

static void *work(void *arg)
{
	CHECK(number == 5 && zero == 0 && !strcmp(block, "block"));
	CHECK((uintptr_t)block % 64 == 0);
	number = (int)(long)arg;
	zero = 1;
	errno = number;
	CHECK(!pthread_setspecific(key, &number));
	for (int i = 0; i < 10; i++) sched_yield();
	CHECK(number == (long)arg && errno == number);
	CHECK(pthread_getspecific(key) == &number);
	return &number;
}

static void child(void)
{
	CHECK(number == 6);
	pthread_t t;
	CHECK(!pthread_create(&t, 0, work, (void *)9) && !pthread_join(t, 0));
}

int main(void)
{
	pthread_t t[4];
	void *address[4];

	CHECK(number == 5 && !strcmp(block, "block") && (uintptr_t)block % 64 == 0);
	number = 6;
	CHECK(!pthread_key_create(&key, destroy));
	for (long i = 0; i < 4; i++) CHECK(!pthread_create(&t[i], 0, work, (void *)(i + 1)));
	for (int i = 0; i < 4; i++) CHECK(!pthread_join(t[i], &address[i]) && address[i] != &number);
	CHECK(number == 6 && zero == 0 && destroyed == 1 + 2 + 3 + 4);
	CHECK(exited(in_child(child), 0));
	return 0;
}
