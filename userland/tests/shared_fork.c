/* Shared memory through fork, mprotect, mremap, madvise and munmap. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)

static char *p;
static char *mine;
static volatile char sink;

static void grandchild(void) { CHECK(p[1] == 2); p[2] = 3; mine[0] = 9; }
static void child(void)
{
	CHECK(p[0] == 1);
	p[1] = 2;
	CHECK(exited(in_child(grandchild), 0) && p[2] == 3 && mine[0] == 5);
	mine[0] = 6;
}
static void touch(void) { *(volatile char *)p = 1; }
static void look(void) { sink = *(volatile char *)p; }

int main(void)
{
	p = OK(mmap(0, 64 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	mine = OK(mmap(0, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	p[0] = 1, mine[0] = 5;
	CHECK(exited(in_child(child), 0));
	CHECK(p[1] == 2 && p[2] == 3 && mine[0] == 5);

	/* touched by the child first, at every page */
	pid_t pid = OK(fork());
	if (!pid) {
		for (int i = 0; i < 64; i++) p[i * PAGE] = i;
		_exit(0);
	}
	OK(waitpid(pid, 0, 0));
	for (int i = 0; i < 64; i++) CHECK(p[i * PAGE] == i);

	OK(mprotect(p, PAGE, PROT_READ));
	CHECK(exited(in_child(look), 0) && killed(in_child(touch), SIGSEGV));
	OK(mprotect(p, PAGE, PROT_NONE));
	CHECK(killed(in_child(look), SIGSEGV));
	OK(mprotect(p, PAGE, RW));

	/* the pages are the object's, not the mapping's */
	OK(madvise(p, 64 * PAGE, MADV_DONTNEED));
	CHECK(p[63 * PAGE] == 63);
	FAILS(madvise(p, PAGE, MADV_FREE), EINVAL);
	OK(madvise(p + PAGE, PAGE, MADV_REMOVE));
	CHECK(p[PAGE] == 0 && p[2 * PAGE] == 2);

	/* moved, and a second time in the same process */
	p[5 * PAGE] = 55;
	char *to = OK(mmap(0, 128 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	char *q = OK(mremap(p + 4 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	CHECK(q == to && q[PAGE] == 55 && p[8 * PAGE] == 8 && p[3 * PAGE] == 3);
	q = OK(mremap(p, 0, 2 * PAGE, MREMAP_MAYMOVE));
	CHECK(q != p);
	q[7] = 77;
	CHECK(p[7] == 77);
	OK(munmap(p, PAGE));
	CHECK(killed(in_child(look), SIGSEGV) && q[7] == 77);

	/* grows only as far as the object goes */
	int fd = OK(memfd_create("grow", 0));
	OK(ftruncate(fd, 4 * PAGE));
	p = OK(mmap(0, PAGE, RW, MAP_SHARED, fd, 0));
	p = OK(mremap(p, PAGE, 4 * PAGE, MREMAP_MAYMOVE));
	p[3 * PAGE] = 1;
	char c;
	CHECK(pread(fd, &c, 1, 3 * PAGE) == 1 && c == 1);

	/* many pages, in any order */
	enum { MANY = 2000 };
	p = OK(mmap(0, MANY * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	for (unsigned i = 0, n = 0; i < MANY; i++, n = (n + 7919) % MANY)
		*(unsigned *)(p + n * PAGE) = n;
	pid = OK(fork());
	if (!pid) {
		for (unsigned i = 0; i < MANY; i++) CHECK(*(unsigned *)(p + i * PAGE) == i);
		_exit(0);
	}
	int status;
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 0));
	return 0;
}
