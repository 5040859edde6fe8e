/* madvise, mincore and mlock: what is promised, and who may. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE 4096
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static unsigned char core[16];
static char *p;
static void wiped(void) { CHECK(!p[0] && p[PAGE] == 1); }
static volatile char sink;
static void poke(void) { *(volatile char *)p = 1; }
static void look(void) { sink = *(volatile char *)p; }

static long status(const char *name)
{
	char text[4096] = "", *at;
	int fd = OK(open("/proc/self/status", O_RDONLY));
	CHECK(read(fd, text, sizeof text - 1) > 0 && (at = strstr(text, name)));
	OK(close(fd));
	return strtol(at + strlen(name), 0, 10);
}

/* What is in memory of so many pages, as digits. */
static const char *resident(char *at, int pages)
{
	static char text[17];

	OK(mincore(at, pages * PAGE, core));
	for (int i = 0; i < pages; i++) text[i] = '0' + (core[i] & 1);
	text[pages] = 0;
	return text;
}
#define RESIDENT(at, pages) CHECK(!strcmp(resident(at, (int)sizeof pages - 1), pages))

static void incore(void)
{
	char *q = OK(mmap(0, 3 * PAGE, RW, ANON, -1, 0));

	/* nothing was touched; what was, also if it is zero and was asked for */
	RESIDENT(q, "000");
	q[PAGE] = 1;
	RESIDENT(q, "010");
	OK(madvise(q, PAGE, MADV_POPULATE_WRITE));
	RESIDENT(q, "110");
	OK(mlock(q, 3 * PAGE));
	RESIDENT(q, "111");
	RESIDENT(OK(mmap(0, 2 * PAGE, RW, ANON | MAP_POPULATE, -1, 0)), "11");
	RESIDENT(OK(mmap(0, 2 * PAGE, PROT_NONE, ANON, -1, 0)), "00");

	/* of a file: what is cached, and not what is only allocated */
	int fd = OK(open("/tmp/advice-file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	OK(fallocate(fd, 0, 0, 2 * PAGE));
	OK(ftruncate(fd, 3 * PAGE));
	q = OK(mmap(0, 3 * PAGE, RW, MAP_SHARED, fd, 0));
	RESIDENT(q, "000");
	q[PAGE] = 1;
	RESIDENT(q, "010");
	q = OK(mmap(0, 3 * PAGE, RW, MAP_PRIVATE, fd, 0));
	RESIDENT(q, "010");
	q[2 * PAGE] = 1;
	CHECK(resident(q, 3)[2] == '1');
	OK(close(fd));

	FAILS(mincore(q, -1, core), ENOMEM);
	FAILS(mincore(q, -PAGE, core), ENOMEM);
	FAILS(mincore(q + 1, PAGE, core), EINVAL);
	FAILS(mincore(q, PAGE, (void *)8), EFAULT);
	FAILS(mincore(q, PAGE, (void *)-1), EFAULT);
	OK(mincore(q, 0, core));
	OK(munmap(q + 2 * PAGE, PAGE));
	FAILS(mincore(q, 3 * PAGE, core), ENOMEM);
}

/* Others' reading is not shown to somebody who could not write the file. */
static void stranger(void)
{
	OK(setuid(4242));
	int fd = OK(open("/tmp/advice-file", O_RDONLY));
	RESIDENT(OK(mmap(0, 3 * PAGE, PROT_READ, MAP_SHARED, fd, 0)), "111");
}

/* A hole is an error, but what is mapped was advised. */
static void holes(void)
{
	char *q = OK(mmap(0, 5 * PAGE, RW, ANON, -1, 0));

	memset(q, 1, 5 * PAGE);
	OK(munmap(q + 2 * PAGE, PAGE));
	FAILS(madvise(q + PAGE, 3 * PAGE, MADV_DONTNEED), ENOMEM);
	CHECK(q[0] == 1 && !q[PAGE] && !q[3 * PAGE] && q[4 * PAGE] == 1);
	FAILS(madvise(q + PAGE, 3 * PAGE, MADV_POPULATE_WRITE), ENOMEM);
	FAILS(madvise(q + PAGE, 3 * PAGE, MADV_WILLNEED), ENOMEM);
	FAILS(madvise(q + 2 * PAGE, PAGE, 9999), EINVAL);
	OK(madvise(q + 2 * PAGE, 0, MADV_DONTNEED));
	FAILS(mprotect(q + PAGE, 3 * PAGE, PROT_READ), ENOMEM);
	p = q + PAGE;
	CHECK(killed(in_child(poke), SIGSEGV));
	p = q + 3 * PAGE;
	CHECK(exited(in_child(poke), 0));
}

static void kinds(void)
{
	int fd = OK(open("/tmp/advice-file", O_RDWR));
	char *q = OK(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));

	FAILS(madvise(q, PAGE, MADV_WIPEONFORK), EINVAL);
	FAILS(madvise(q, PAGE, MADV_FREE), EINVAL);
	FAILS(madvise(q, PAGE, MADV_POPULATE_WRITE), EINVAL);
	q = OK(mmap(0, 8 * PAGE, RW, MAP_SHARED, fd, 0));
	FAILS(madvise(q + 7 * PAGE, PAGE, MADV_POPULATE_READ), EFAULT);
	FAILS(madvise(q, PAGE, MADV_WIPEONFORK), EINVAL);

	q = OK(mmap(0, PAGE, RW, ANON, -1, 0));
	*q = 1;
	OK(mlock(q, PAGE));
	FAILS(madvise(q, PAGE, MADV_COLD), EINVAL);
	FAILS(madvise(q, PAGE, MADV_FREE), EINVAL);
	OK(madvise(q, PAGE, MADV_DONTNEED_LOCKED));
	CHECK(!*q);
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
	CHECK(exited(in_child(incore), 0));
	CHECK(exited(in_child(stranger), 0));
	CHECK(exited(in_child(holes), 0));
	CHECK(exited(in_child(kinds), 0));
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
