/* Locks of threads between processes, on memory they share. */
#include "test.h"
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#define RW (PROT_READ | PROT_WRITE)
enum { ROUNDS = 2000 };

static struct shared {
	pthread_mutex_t lock, robust;
	pthread_cond_t cond;
	pthread_barrier_t barrier;
	sem_t ping, pong;
	int turn, count, fd;
} *s;

static void counts(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(!pthread_mutex_lock(&s->lock));
		int n = s->count;
		if (i % 64 == 0) sched_yield();
		s->count = n + 1;
		CHECK(!pthread_mutex_unlock(&s->lock));
	}
}

/* The mapping is at another address here. */
static void elsewhere(void)
{
	struct shared *old = s;
	s = OK(mmap(0, 65536, RW, MAP_SHARED, s->fd, 0));
	CHECK(s != old);
	for (int i = 0; i < ROUNDS; i++) {
		OK(sem_wait(&s->ping));
		OK(sem_post(&s->pong));
	}
	pthread_mutex_lock(&s->lock);
	s->turn = 1;
	pthread_cond_broadcast(&s->cond);
	while (s->turn != 2) pthread_cond_wait(&s->cond, &s->lock);
	pthread_mutex_unlock(&s->lock);
	int r = pthread_barrier_wait(&s->barrier);
	CHECK(!r || r == PTHREAD_BARRIER_SERIAL_THREAD);
}

static void dies(void) { CHECK(!pthread_mutex_lock(&s->robust)); }

static void opens(void)
{
	sem_t *named = sem_open("/named", 0);
	CHECK(named != SEM_FAILED);
	OK(sem_post(named));
}

int main(void)
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pthread_barrierattr_t ba;
	int status;

	int fd = OK(memfd_create("locks", 0));
	OK(ftruncate(fd, 65536));
	s = OK(mmap(0, 65536, RW, MAP_SHARED, fd, 0));
	s->fd = fd;
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->lock, &ma);
	pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&s->robust, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->cond, &ca);
	pthread_barrierattr_init(&ba);
	pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&s->barrier, &ba, 2);
	OK(sem_init(&s->ping, 1, 0) | sem_init(&s->pong, 1, 0));

	pid_t pid[4];
	for (int i = 0; i < 4; i++)
		if (!(pid[i] = OK(fork()))) counts(), _exit(0);
	for (int i = 0; i < 4; i++) {
		OK(waitpid(pid[i], &status, 0));
		CHECK(exited(status, 0));
	}
	CHECK(s->count == 4 * ROUNDS);

	pid_t other = OK(fork());
	if (!other) elsewhere(), _exit(0);
	for (int i = 0; i < ROUNDS; i++) {
		OK(sem_post(&s->ping));
		OK(sem_wait(&s->pong));
	}
	pthread_mutex_lock(&s->lock);
	while (s->turn != 1) pthread_cond_wait(&s->cond, &s->lock);
	s->turn = 2;
	pthread_cond_signal(&s->cond);
	pthread_mutex_unlock(&s->lock);
	int r = pthread_barrier_wait(&s->barrier);
	CHECK(!r || r == PTHREAD_BARRIER_SERIAL_THREAD);
	OK(waitpid(other, &status, 0));
	CHECK(exited(status, 0));

	CHECK(exited(in_child(dies), 0));
	CHECK(pthread_mutex_lock(&s->robust) == EOWNERDEAD);
	CHECK(!pthread_mutex_consistent(&s->robust) && !pthread_mutex_unlock(&s->robust));

	sem_t *named = sem_open("/named", O_CREAT | O_EXCL, 0600, 0);
	CHECK(named != SEM_FAILED);
	CHECK(exited(in_child(opens), 0));
	OK(sem_wait(named));
	OK(sem_close(named));
	OK(sem_unlink("/named"));
	return 0;
}
