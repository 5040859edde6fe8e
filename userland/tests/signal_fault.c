/* Traps: signal, si_code and si_addr of each; an access succeeds once the
 * handler has mended the mapping, with every register as it was. */
#include "traps.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>

static volatile siginfo_t seen;
static sigjmp_buf env;
static char *area;
static volatile int faults;

static void note(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	seen = *si;
	siglongjmp(env, 1);
}

static void null_call(void) { OPAQUE((void (*)(void))0)(); }
static void load_null(void) { OPAQUE(*(volatile char *)OPAQUE((char *)8)); }

static void traps(void (*f)(void), int sig, int code)
{
	seen.si_signo = 0;
	if (!sigsetjmp(env, 1)) {
		f();
		test_fail(__FILE__, __LINE__, "no trap");
	}
	if (seen.si_signo != sig || seen.si_code != code) {
		dprintf(2, "signal %d code %d, not %d and %d\n", seen.si_signo, seen.si_code, sig, code);
		_exit(1);
	}
}

static void mend(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	CHECK(sig == SIGSEGV);
	seen = *si;
	faults++;
	/* something for the registers to survive */
	char text[64];
	snprintf(text, sizeof text, "%f %p", 1.5 * faults, si->si_addr);
	char *page = (char *)((uintptr_t)si->si_addr & ~4095u);
	OK(mprotect(page, 4096, PROT_READ | PROT_WRITE));
}

static void map_it(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	seen = *si;
	faults++;
	OK(mmap((char *)((uintptr_t)si->si_addr & ~4095u), 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

static void on(int sig, void (*f)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = f, .sa_flags = SA_SIGINFO | flags };
	OK(sigaction(sig, &sa, 0));
}

/* Many values live across the access. */
static double mixed(volatile char *at, int a, int b, long long c, double d, float e)
{
	int x = a * 3, y = b ^ 5;
	double z = d * 2;

	*at = (char)x;
	return x + y + (double)c + z + e + *at;
}

static void *in_thread(void *arg)
{
	char *p = arg;
	for (int i = 0; i < 16; i++) p[i * 4096] = i;
	return 0;
}

static void ignored(void)
{
	handle(SIGSEGV, SIG_IGN, 0);
	load_null();
}

static void blocked(void)
{
	sigset_t all;
	on(SIGSEGV, note, 0);
	sigfillset(&all);
	OK(sigprocmask(SIG_BLOCK, &all, 0));
	load_null();
}

static void again(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)si, (void)ctx;
	if (++faults == 5) _exit(5);
}

static void returns(void)
{
	on(SIGFPE, again, 0);
	divide();
}

int main(void)
{
	const int N = 64;

	on(SIGFPE, note, 0);
	on(SIGILL, note, 0);
	on(SIGSEGV, note, 0);
	on(SIGTRAP, note, 0);
	traps(divide, SIGFPE, FPE_INTDIV);
	traps(modulo, SIGFPE, FPE_INTDIV);
	traps(quotient, SIGFPE, FPE_INTOVF);
	traps(trap, SIGILL, ILL_ILLOPC);
	traps(null_call, SIGSEGV, SEGV_MAPERR);
	traps(load_null, SIGSEGV, SEGV_MAPERR);
	CHECK(seen.si_addr == (void *)8);

	area = OK(mmap(0, N * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	on(SIGSEGV, mend, 0);
	for (int i = 0; i < N / 4; i++) {
		char *p = area + i * 4096 + i * 3;
		CHECK(mixed(p, 7, 9, 1LL << 40, 2.5, 0.25f) == 21 + 12 + (double)(1LL << 40) + 5 + 0.25 + 21);
		CHECK(faults == i + 1 && seen.si_addr == p && seen.si_code == SEGV_ACCERR);
	}
	/* a block operation across pages goes on where it was */
	faults = 0;
	memset(area + 16 * 4096 + 100, 'm', 8 * 4096);
	CHECK(faults == 9);
	for (int i = 0; i < 8 * 4096; i++) CHECK(area[16 * 4096 + 100 + i] == 'm');
	/* in a thread */
	pthread_t t;
	faults = 0;
	CHECK(!pthread_create(&t, 0, in_thread, area + 40 * 4096) && !pthread_join(t, 0));
	CHECK(faults == 16);
	/* an atomic operation, and one of eight bytes that lies across a border */
	__atomic_fetch_add((int *)(area + 60 * 4096), 3, __ATOMIC_SEQ_CST);
	CHECK(*(int *)(area + 60 * 4096) == 3);
	faults = 0;
	volatile long long *odd = (long long *)(area + 62 * 4096 - 4);
	*odd = 0x1122334455667788;
	CHECK(*odd == 0x1122334455667788 && faults == 2);

	/* what is not mapped at all */
	OK(munmap(area, N * 4096));
	on(SIGSEGV, map_it, 0);
	faults = 0;
	area[5] = 1;
	CHECK(faults == 1 && seen.si_code == SEGV_MAPERR && seen.si_addr == area + 5);
	/* the kernel does not fault for a program: it says EFAULT */
	int fd = OK(open("/dev/zero", O_RDONLY));
	FAILS(read(fd, area + 4096 * 9, 10), EFAULT);
	CHECK(faults == 1);

	/* a trap's signal cannot be ignored or blocked; a handler that mends
	 * nothing is called again */
	CHECK(killed(in_child(ignored), SIGSEGV));
	CHECK(killed(in_child(blocked), SIGSEGV));
	faults = 0;
	CHECK(exited(in_child(returns), 5));
	return 0;
}
