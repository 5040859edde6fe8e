/* A handler mends the mapping, and the access is made again. */
#include "test.h"
#include <sys/mman.h>

#define PAGE 4096
enum { PAGES = 64 };

static char *p;
static volatile int faults;

static void mend(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	CHECK(sig == SIGSEGV && (char *)si->si_addr >= p && (char *)si->si_addr < p + PAGES * PAGE);
	CHECK(si->si_code == SEGV_ACCERR);
	faults++;
	OK(mprotect((char *)((uintptr_t)si->si_addr & -PAGE), PAGE, PROT_READ | PROT_WRITE));
}

static void remap(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	CHECK(si->si_code == SEGV_MAPERR);
	faults++;
	OK(mmap((char *)((uintptr_t)si->si_addr & -PAGE), PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO };

	p = OK(mmap(0, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	OK(sigaction(SIGSEGV, &sa, 0));
	for (int i = 0; i < PAGES; i++) {
		volatile double *d = (double *)(p + i * PAGE + 8);
		double x = OPAQUE(1.5), y = OPAQUE(2.25);
		*d = x * y;
		CHECK(*d == 3.375 && x == 1.5 && faults == i + 1);
	}
	/* a copy that faults in its middle */
	OK(mprotect(p, PAGES * PAGE, PROT_NONE));
	faults = 0;
	memset(p, OPAQUE(7), PAGES * PAGE);
	CHECK(faults == PAGES);
	for (int i = 0; i < PAGES * PAGE; i++) CHECK(p[i] == 7);

	sa.sa_sigaction = remap;
	OK(sigaction(SIGSEGV, &sa, 0));
	OK(munmap(p, PAGES * PAGE));
	faults = 0;
	memcpy(p + 100, OPAQUE((char *)"resumed"), 8);
	CHECK(faults == 1 && !strcmp(p + 100, "resumed"));
	CHECK(p[PAGE] == 0 && faults == 2);
	return 0;
}
