/* madvise, mincore and mlock: what is promised, and who may. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE 4096
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static unsigned char core[16];
static char *p;
static void wiped(void) { CHECK(!p[0] && p[PAGE] == 1); }
static volatile char sink;
static void look(void) { sink = *(volatile char *)p; }

static long status(const char *name)
{
	char text[4096] = "", *at;
	int fd = OK(open("/proc/self/status", O_RDONLY));
	CHECK(read(fd, text, sizeof text - 1) > 0 && (at = strstr(text, name)));
	OK(close(fd));
	return strtol(at + strlen(name), 0, 10);
}

static void unprivileged(void)
{
	struct rlimit rl = { 4 * PAGE, 4 * PAGE };

	OK(setrlimit(RLIMIT_MEMLOCK, &rl));
	OK(setuid(4242));
	char *q = OK(mmap(0, 16 * PAGE, RW, ANON, -1, 0));
	OK(mlock(q, 4 * PAGE));
	OK(mlock(q, 4 * PAGE));
	FAILS(mlock(q + 4 * PAGE, PAGE), ENOMEM);
	FAILS((long)mmap(0, PAGE, RW, ANON | MAP_LOCKED, -1, 0), EAGAIN);
	FAILS(mlockall(MCL_CURRENT), ENOMEM);
	OK(munlock(q, PAGE));
	OK(mlock(q + 4 * PAGE, PAGE));
	rl.rlim_cur = 0;
	OK(setrlimit(RLIMIT_MEMLOCK, &rl));
	FAILS(mlock(q, PAGE), EPERM);
}

int main(void)
{
	p = OK(mmap(0, 64 * PAGE, RW, ANON, -1, 0));
	OK(mincore(p, 16 * PAGE, core));
	CHECK(!core[0] && !core[15]);
	p[15 * PAGE] = 1;
	OK(mincore(p, 16 * PAGE, core));
	CHECK(!core[0] && core[15]);
	OK(madvise(p, 16 * PAGE, MADV_WILLNEED));
	OK(madvise(p, 64 * PAGE, MADV_POPULATE_WRITE));
	OK(mincore(p, 16 * PAGE, core));
	CHECK(core[0] && core[7]);

	memset(p, 1, 64 * PAGE);
	OK(madvise(p + PAGE, PAGE, MADV_DONTNEED));
	CHECK(p[0] == 1 && !p[PAGE] && p[2 * PAGE] == 1);
	OK(madvise(p + 2 * PAGE, PAGE, MADV_FREE));
	CHECK(p[2 * PAGE] <= 1);
	p[2 * PAGE] = 3;
	CHECK(p[2 * PAGE] == 3);
	FAILS(madvise(p, PAGE, MADV_REMOVE), EINVAL);
	FAILS(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	FAILS(madvise(p, PAGE, 9999), EINVAL);
	OK(munmap(p + 63 * PAGE, PAGE));
	FAILS(madvise(p + 62 * PAGE, 2 * PAGE, MADV_DONTNEED), ENOMEM);
	FAILS(msync(p + 62 * PAGE, 2 * PAGE, MS_SYNC), ENOMEM);
	FAILS(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	OK(msync(p, PAGE, MS_ASYNC));

	p[0] = p[PAGE] = 1;
	OK(madvise(p, PAGE, MADV_WIPEONFORK));
	CHECK(exited(in_child(wiped), 0) && p[0] == 1);
	OK(madvise(p, PAGE, MADV_KEEPONFORK));
	OK(madvise(p, PAGE, MADV_DONTFORK));
	CHECK(killed(in_child(look), SIGSEGV));
	OK(madvise(p, PAGE, MADV_DOFORK));
	CHECK(exited(in_child(look), 0));

	char *q = OK(mmap(0, 16 * PAGE, RW, ANON, -1, 0));
	CHECK(status("VmLck:") == 0);
	OK(mlock(q + 1, 2 * PAGE));
	OK(mincore(q, 16 * PAGE, core));
	CHECK(core[0] && core[1] && core[2] && status("VmLck:") == 12);
	FAILS(madvise(q, PAGE, MADV_DONTNEED), EINVAL);
	FAILS(msync(q, PAGE, MS_INVALIDATE), EBUSY);
	OK(munlock(q, PAGE));
	CHECK(status("VmLck:") == 8);
	OK(mlockall(MCL_FUTURE));
	q = OK(mmap(0, 16 * PAGE, RW, ANON, -1, 0));
	OK(mincore(q, 16 * PAGE, core));
	CHECK(core[0] && core[15]);
	OK(munlockall());
	CHECK(status("VmLck:") == 0);
	FAILS(mlockall(0), EINVAL);
	CHECK(exited(in_child(unprivileged), 0));
	return 0;
}
