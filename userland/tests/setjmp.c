/* setjmp and longjmp, in loops, across frames, and to before a fork. */
#include "test.h"
#include <setjmp.h>

static jmp_buf env, other;

static void throw(int depth, int value)
{
	volatile char frame[100];
	frame[depth % 100] = value;
	if (depth) throw(depth - 1, value);
	longjmp(env, value);
}

static int both(void)
{
	volatile int step = 0;

	if (setjmp(env) == 0) {
		step = 1;
		if (setjmp(other) == 0) throw(3, 5);
		step += 10;
		throw(3, 6);
	}
	if (step == 1) {
		step = 2;
		longjmp(other, 1);
	}
	return step;
}

int main(void)
{
	volatile int count = 0;
	int unchanged = OPAQUE(42);

	int value = setjmp(env);
	if (value < 100) {
		count++;
		throw(value % 20, value + 1);
	}
	CHECK(count == 100 && value == 100 && unchanged == 42);

	value = setjmp(env);
	if (!value) longjmp(env, 0);
	CHECK(value == 1);
	CHECK(both() == 12);

	volatile int round = 0;
	if (setjmp(env) == 0) {
		pid_t pid = OK(fork());
		if (!pid) {
			round = 1;
			throw(10, 9);
		}
		int status;
		OK(waitpid(pid, &status, 0));
		CHECK(exited(status, 9) && !round);
	} else {
		_exit(9);
	}

	for (volatile int i = 0; i < 100000; i++)
		if (setjmp(env) == 0) throw(1, 1);
	return 0;
}
