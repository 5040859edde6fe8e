/* A jmp_buf is what is in it, wherever it lies: copied, moved, put back after the
 * place was used for another one. */
#include "test.h"
#include <pthread.h>
#include <setjmp.h>

static jmp_buf top;

/* What bash does around each thing that may fail. */
static void inner(int depth)
{
	jmp_buf saved;
	memcpy(saved, top, sizeof top);
	int code = setjmp(top);
	if (!code) {
		if (depth) inner(depth - 1);
		longjmp(top, 1);
	}
	CHECK(code == 1 || code == 2);
	memcpy(top, saved, sizeof top);
	longjmp(top, 2);
}

static int put_back(void)
{
	int code = setjmp(top);
	if (code) return code;
	inner(5);
	return 0;
}

/* The inner frame has returned; the copy of the outer one is still good. */
static void returns(void)
{
	if (setjmp(top)) _exit(3);
}

static int after_return(void)
{
	jmp_buf saved;
	volatile int turns = 0;
	int code = setjmp(top);
	if (code) turns++;
	if (code == 10) return turns;
	if (!code) memcpy(saved, top, sizeof top);
	returns();
	longjmp(saved, code + 1);
}

/* Tasks as libraries of coroutines keep them: one buffer is filled, then moved
 * into an array that grows. */
struct task {
	int id;
	jmp_buf place;
};

static int moved(void)
{
	static volatile int next, order;
	struct task *volatile tasks = 0;
	for (volatile int i = 0; i < 100; i++) {
		jmp_buf here;
		int id = setjmp(here);
		if (id) {
			CHECK(id == next + 1);
			order++;
			if (++next == 100) {
				free(tasks);
				return order;
			}
			longjmp(tasks[next].place, next + 1);
		}
		tasks = realloc(tasks, (i + 1) * sizeof *tasks);
		CHECK(tasks);
		tasks[i].id = i;
		memcpy(tasks[i].place, here, sizeof here);
	}
	longjmp(tasks[0].place, 1);
}

/* Copies of one buffer that one frame has filled at different places. */
static int places(void)
{
	static jmp_buf first, second;
	volatile int seen = 0;
	int code;

	if ((code = setjmp(top))) {
		seen = seen * 10 + 1;
		if (code == 2) return seen;
		longjmp(second, 1);
	}
	memcpy(first, top, sizeof top);
	if ((code = setjmp(top))) {
		seen = seen * 10 + 2;
		longjmp(code == 1 ? top : first, 2);
	}
	memcpy(second, top, sizeof top);
	memset(top, 0, sizeof top);
	memcpy(top, second, sizeof top);
	longjmp(first, 1);
}

static sigjmp_buf from_handler;

static void handler(int sig)
{
	sigjmp_buf copy;
	memcpy(copy, from_handler, sizeof copy);
	siglongjmp(copy, sig);
}

/* The mask is in the copy, too. */
static void out_of_handler(void)
{
	handle(SIGUSR1, handler, 0);
	for (volatile int i = 0; i < 100; i++) {
		sigset_t now;
		int sig = sigsetjmp(from_handler, 1);
		if (!sig) raise(SIGUSR1);
		CHECK(sig == SIGUSR1);
		OK(sigprocmask(SIG_SETMASK, 0, &now));
		CHECK(!sigismember(&now, SIGUSR1));
	}
}

/* A copy made before a fork is good in both. */
static int forked(void)
{
	jmp_buf saved;
	volatile int child = 0;
	int status;

	if (setjmp(top)) {
		if (child) _exit(42);
		return 1;
	}
	memcpy(saved, top, sizeof top);
	memset(top, 0, sizeof top);
	pid_t pid = OK(fork());
	if (!pid) {
		child = 1;
		returns();
		longjmp(saved, 1);
	}
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 42));
	longjmp(saved, 1);
}

static void *thread(void *arg)
{
	jmp_buf mine, copy;
	volatile int turns = 0;

	for (volatile int i = 0; i < 1000; i++) {
		int code = setjmp(mine);
		if (!code) {
			memcpy(copy, mine, sizeof mine);
			if (setjmp(mine)) _exit(4);
			longjmp(copy, i + 1);
		}
		CHECK(code == i + 1);
		turns++;
	}
	*(int *)arg = turns;
	return 0;
}

/* Nothing lives for ever: a loop that sets and copies goes on and on. */
static int endless(void)
{
	volatile int jumps = 0;
	for (volatile int i = 0; i < 200000; i++) {
		jmp_buf copy;
		if (setjmp(top)) {
			jumps++;
			continue;
		}
		memcpy(copy, top, sizeof top);
		if (i % 2) longjmp(copy, 1);
	}
	return jumps;
}

int main(void)
{
	CHECK(put_back() == 2);
	CHECK(after_return() == 10);
	CHECK(moved() == 100);
	CHECK(places() == 1221);
	out_of_handler();
	CHECK(forked() == 1);
	CHECK(endless() == 100000);

	pthread_t t[4];
	int done[4] = {0};
	for (int i = 0; i < 4; i++) CHECK(!pthread_create(&t[i], 0, thread, &done[i]));
	for (int i = 0; i < 4; i++) CHECK(!pthread_join(t[i], 0) && done[i] == 1000);
	return 0;
}
