/* A wild access is this process's SIGSEGV, with its address. */
#include "test.h"
#include <setjmp.h>
#include <sys/mman.h>

static volatile char *where;
static sigjmp_buf env;
static siginfo_t seen;

/* The value is used: an engine may leave out a load that is not. */
static volatile char sink;
static void load(void) { sink = *where; }
static void store(void) { *where = 1; }
static void null_call(void) { OPAQUE((void (*)(void))0)(); }
static void divide(void) { OPAQUE(OPAQUE(1) / OPAQUE(0)); }
static void trap(void) { __builtin_trap(); }
static void copy(void) { memcpy((char *)where, OPAQUE(&seen), sizeof seen); }

static void handler(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	seen = *si;
	siglongjmp(env, 1);
}

static void caught(volatile char *address, int code)
{
	where = address;
	if (!sigsetjmp(env, 1)) {
		store();
		test_fail(__FILE__, __LINE__, "no fault");
	}
	CHECK(seen.si_signo == SIGSEGV && seen.si_code == code && seen.si_addr == address);
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	static const unsigned wild[] = { 0, 1, 0xfff, 0xffff, 0x7fff0001, 0xffff0000, 0xffffffff };

	for (unsigned i = 0; i < sizeof wild / sizeof *wild; i++) {
		where = (char *)wild[i];
		CHECK(killed(in_child(load), SIGSEGV) && killed(in_child(store), SIGSEGV));
	}
	where = (char *)0xfffffff0u;
	CHECK(killed(in_child(copy), SIGSEGV));
	CHECK(WIFSIGNALED(in_child(null_call)));
	CHECK(killed(in_child(divide), SIGFPE));
	CHECK(WIFSIGNALED(in_child(trap)));
	CHECK(killed(in_child(abort), SIGABRT));

	OK(sigaction(SIGSEGV, &sa, 0));
	char *p = OK(mmap(0, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < 10; i++) {
		caught((char *)24, SEGV_MAPERR);
		caught(p + 4100, SEGV_ACCERR);
	}
	return 0;
}
