/* Endless recursion ends the process with SIGSEGV, whichever stack it fills. */
#include "test.h"

static int plain(int n) { return n == OPAQUE(-1) ? 0 : plain(n + 1) + OPAQUE(1); }

static int frames(volatile char *above)
{
	volatile char frame[1024];
	frame[0] = above ? above[0] + 1 : 0;
	return frames(frame) + frame[0];
}

static void no_frame(void) { OPAQUE(plain(0)); }
static void in_memory(void) { OPAQUE(frames(0)); }

int main(void)
{
	for (int i = 0; i < 3; i++) {
		CHECK(killed(in_child(no_frame), SIGSEGV));
		CHECK(killed(in_child(in_memory), SIGSEGV));
	}
	/* what is deep but not endless works */
	CHECK(plain(-10001) == 10000);
	return 0;
}
