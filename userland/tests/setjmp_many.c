/* Many live buffers, in one frame and in many; what longjmp leaves alive; who
 * is no target any more; locals that may and may not have changed. */
#include "test.h"
#include <pthread.h>
#include <setjmp.h>

#define MANY 1000

static jmp_buf bufs[MANY];
static int order[MANY], reached;

/* Each frame sets its own; the jump back goes to a frame in the middle. */
static int nested(int depth, int target)
{
	int value = setjmp(bufs[depth]);

	if (value) {
		order[reached++] = depth;
		return value;
	}
	if (depth + 1 < MANY) return nested(depth + 1, target) + 1;
	longjmp(bufs[target], 1000);
}

/* Several in one frame, which jump among each other. */
static int chain(void)
{
	static jmp_buf b[8];
	volatile int steps = 0;

	for (volatile int i = 0; i < 8; i++) {
		int value = setjmp(b[i]);
		if (!value) continue;
		steps = steps * 10 + value - 1;
		if (value == 8) return steps;
		longjmp(b[value], value + 1);
	}
	longjmp(b[0], 1);
}

static void dead_frame(void)
{
	if (setjmp(bufs[0])) _exit(3);
}

static void jump_to_dead(void)
{
	dead_frame();
	longjmp(bufs[0], 1);
}

static void jump_to_unset(void)
{
	static jmp_buf none;
	longjmp(none, 1);
}

/* A copy of a buffer is as good in C programs that do it; here the address is
 * the name, so it must end the program and not more. */
static void jump_to_forged(void)
{
	static jmp_buf forged;
	memset(forged, 0x41, sizeof forged);
	if (setjmp(bufs[1]) == 0) longjmp(forged, 1);
	_exit(0);
}

/* A volatile local keeps its latest value, any other that has not changed too. */
static void locals(int argument)
{
	volatile int latest = 1;
	int kept = OPAQUE(17);
	double real = OPAQUE(2.5);

	if (setjmp(bufs[0]) == 0) {
		latest = 2;
		nested(1, 1);
		latest = 3;
		longjmp(bufs[0], 1);
	}
	CHECK(latest == 3 && kept == 17 && real == 2.5 && argument == 5);
}

static void *thread(void *arg)
{
	jmp_buf mine;
	volatile int turns = 0;

	for (int i = 0; i < 1000; i++) {
		if (setjmp(mine) == 0) longjmp(mine, 1);
		turns++;
	}
	*(int *)arg = turns;
	return 0;
}

int main(void)
{
	for (int target = 0; target < MANY; target += 333) {
		reached = 0;
		CHECK(nested(0, target) == 1000 + target);
		CHECK(reached == 1 && order[0] == target);
	}
	CHECK(chain() == 1234567);
	locals(5);
	CHECK(WIFSIGNALED(in_child(jump_to_dead)));
	CHECK(WIFSIGNALED(in_child(jump_to_unset)));
	CHECK(WIFSIGNALED(in_child(jump_to_forged)));

	/* Each thread has its own. */
	pthread_t t[4];
	int done[4] = {0};
	for (int i = 0; i < 4; i++) CHECK(!pthread_create(&t[i], 0, thread, &done[i]));
	for (int i = 0; i < 4; i++) CHECK(!pthread_join(t[i], 0) && done[i] == 1000);
	return 0;
}
