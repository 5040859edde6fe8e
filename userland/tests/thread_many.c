/* 1,000 threads in a process, all alive at once; then none is left. */
#include "test.h"
#include <pthread.h>

#define N 1000
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int alive, go;
static _Thread_local int mine;

static void *work(void *arg)
{
	mine = (long)arg;
	pthread_mutex_lock(&m);
	alive++;
	pthread_cond_broadcast(&cond);
	while (!go) pthread_cond_wait(&cond, &m);
	pthread_mutex_unlock(&m);
	return (void *)(long)mine;
}

static void too_many(void)
{
	pthread_t t;
	int n = 0, err;

	while (!(err = pthread_create(&t, 0, work, 0))) n++;
	CHECK(err == EAGAIN && n >= N);
	/* those that are there still work */
	go = 1;
	pthread_cond_broadcast(&cond);
	_exit(6);
}

static long threads(void)
{
	char line[128];
	long n = 0;
	FILE *f = fopen("/proc/self/status", "r");
	CHECK(f);
	while (fgets(line, sizeof line, f)) if (sscanf(line, "Threads: %ld", &n) == 1) break;
	fclose(f);
	return n;
}

int main(void)
{
	static pthread_t t[N];
	void *r;

	for (int round = 0; round < 2; round++) {
		alive = go = 0;
		for (long i = 0; i < N; i++) CHECK(!pthread_create(&t[i], 0, work, (void *)i));
		pthread_mutex_lock(&m);
		while (alive < N) pthread_cond_wait(&cond, &m);
		CHECK(threads() == N + 1);
		go = 1;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&m);
		for (long i = 0; i < N; i++) CHECK(!pthread_join(t[i], &r) && (long)r == i);
		CHECK(threads() == 1);
	}
	go = 0;
	/* as many as there is room for: an error, and the system goes on */
	CHECK(exited(in_child(too_many), 6));
	CHECK(exited(system("exit 3"), 3));
	return 0;
}
