/* sigaltstack: the handler's frame lies there, also after a stack overflow. */
#include "test.h"
#include <setjmp.h>

static char stack[65536] __attribute__((aligned(16)));
static volatile int hits;
static sigjmp_buf env;

static int on_stack(void *p) { return (char *)p >= stack && (char *)p < stack + sizeof stack; }

static void handler(int sig, siginfo_t *si, void *ctx)
{
	stack_t ss;
	volatile char local[16];

	(void)sig, (void)si;
	local[0] = 1;
	CHECK(on_stack((void *)local) && on_stack(ctx));
	OK(sigaltstack(0, &ss));
	CHECK(ss.ss_flags & SS_ONSTACK);
	FAILS(sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, 0), EPERM);
	hits++;
}

static void escape(int sig)
{
	volatile char local = 0;
	(void)sig;
	CHECK(on_stack((void *)&local));
	siglongjmp(env, 1);
}

/* A frame in linear memory, deep below every limit. */
static int overflow(volatile char *above)
{
	volatile char frame[4096];
	frame[0] = above ? above[0] : 1;
	return overflow(frame) + frame[0];
}

int main(void)
{
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	OK(sigaltstack(&ss, 0));
	OK(sigaction(SIGUSR1, &sa, 0));
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(hits == 2);
	OK(sigaltstack(0, &ss));
	CHECK(ss.ss_flags == 0 && ss.ss_sp == stack);

	handle(SIGSEGV, escape, SA_ONSTACK);
	for (volatile int i = 0; i < 3; i++)
		if (!sigsetjmp(env, 1)) overflow(0);
	FAILS(sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = 16 }, 0), ENOMEM);
	return 0;
}
