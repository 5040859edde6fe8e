/* A stack that runs over: of frames in memory and of frames that are the
 * host's. The handler is called, again and again if it returns, and may jump
 * out; without an alternate stack, or when it runs over too, that is the end. */
#include "test.h"
#include <pthread.h>
#include <setjmp.h>

static char stack[65536] __attribute__((aligned(16)));
static volatile int hits;
static sigjmp_buf env;

/* Without a frame in memory: what overflows is not the program's stack. */
static int plain(int n) { return n == OPAQUE(-1) ? 0 : plain(n + 1) + OPAQUE(1); }

static int frames(volatile char *above)
{
	volatile char frame[4096];
	frame[0] = above ? above[0] : 1;
	return frames(frame) + frame[0];
}

static void no_memory(void) { OPAQUE(plain(0)); }
static void in_memory(void) { OPAQUE(frames(0)); }

static void fifth_ends(int sig)
{
	(void)sig;
	if (++hits == 5) _exit(5);
}

static void jumps(int sig)
{
	(void)sig;
	hits++;
	siglongjmp(env, 1);
}

static void runs_over(int sig) { (void)sig; OPAQUE(plain(0)); }
static void calls(int sig)
{
	(void)sig;
	/* room for more than the handler itself */
	char text[256];
	snprintf(text, sizeof text, "%d %f", getpid(), 1.5);
	if (OK(fork()) == 0) _exit(0);
	OK(wait(0));
	_exit(7);
}

static void with(void (*handler)(int), void (*f)(void), int flags)
{
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
	OK(sigaltstack(&ss, 0));
	handle(SIGSEGV, handler, flags);
	f();
}

static void returns_plain(void) { with(fifth_ends, no_memory, SA_ONSTACK); }
static void returns_memory(void) { with(fifth_ends, in_memory, SA_ONSTACK); }
static void twice(void) { with(runs_over, no_memory, SA_ONSTACK); }
static void works(void) { with(calls, no_memory, SA_ONSTACK); }
static void no_stack(void) { with(fifth_ends, in_memory, 0); }

static void jump_out(void (*f)(void))
{
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };

	OK(sigaltstack(&ss, 0));
	handle(SIGSEGV, jumps, SA_ONSTACK);
	hits = 0;
	for (volatile int i = 0; i < 5; i++)
		if (!sigsetjmp(env, 1)) f();
	CHECK(hits == 5);
}

static void *in_thread(void *arg)
{
	jump_out(no_memory);
	jump_out(in_memory);
	return arg;
}

int main(void)
{
	pthread_t t;

	CHECK(killed(in_child(no_memory), SIGSEGV) && killed(in_child(in_memory), SIGSEGV));
	CHECK(exited(in_child(returns_plain), 5) && exited(in_child(returns_memory), 5));
	CHECK(exited(in_child(works), 7));
	CHECK(killed(in_child(twice), SIGSEGV));
	CHECK(killed(in_child(no_stack), SIGSEGV));
	jump_out(no_memory);
	jump_out(in_memory);
	OK(sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, 0));
	CHECK(!pthread_create(&t, 0, in_thread, 0) && !pthread_join(t, 0));
	return 0;
}
