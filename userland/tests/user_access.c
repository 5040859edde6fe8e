/* The kernel reads and writes pages that the program has not touched yet. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)

static char *fresh(int flags, int pages) { return OK(mmap(0, pages * PAGE, RW, flags, -1, 0)); }

static void all(int flags)
{
	int zero = OK(open("/dev/zero", O_RDONLY)), null = OK(open("/dev/null", O_WRONLY));
	int fd = OK(memfd_create("data", 0)), pipes[2];
	enum { N = 100 };

	/* to, from, and a string that ends on a page of its own */
	CHECK(read(zero, fresh(flags, N), N * PAGE) == N * PAGE);
	CHECK(write(fd, fresh(flags, N), N * PAGE) == N * PAGE);
	CHECK(write(null, fresh(flags, N), N * PAGE) == N * PAGE);
	char *p = fresh(flags, N);
	CHECK(pread(fd, p, N * PAGE, 0) == N * PAGE);
	p = fresh(flags, 4);
	memcpy(p + PAGE - 4, "/tmp", 4);
	struct stat *st = (struct stat *)(fresh(flags, 4) + PAGE - 20);
	OK(stat(p + PAGE - 4, st));
	CHECK(S_ISDIR(st->st_mode));
	FAILS(stat(fresh(flags, 2), st), ENOENT);

	/* small ones across a border */
	OK(pipe(pipes));
	p = fresh(flags, 4);
	CHECK(write(pipes[1], "abcdefgh", 8) == 8);
	CHECK(read(pipes[0], p + PAGE - 3, 8) == 8 && !memcmp(p + PAGE - 3, "abcdefgh", 8));
	struct timespec *t = (struct timespec *)(fresh(flags, 4) + 2 * PAGE - 8);
	OK(clock_gettime(CLOCK_MONOTONIC, t));
	CHECK(t->tv_sec || t->tv_nsec);

	/* up to where nothing is mapped */
	p = fresh(flags, 4);
	OK(munmap(p + 3 * PAGE, PAGE));
	CHECK(read(zero, p + PAGE, 3 * PAGE) == 2 * PAGE);
	FAILS(read(zero, p + 3 * PAGE, 1), EFAULT);
	OK(mprotect(p, PAGE, PROT_READ));
	FAILS(read(zero, p, 1), EFAULT);
	CHECK(write(null, p, 3 * PAGE) == 3 * PAGE);
	p = fresh(flags, 4);
	OK(munmap(p + 2 * PAGE, 2 * PAGE));
	memset(p + PAGE, 'x', PAGE);
	FAILS(open(p + 2 * PAGE - 100, O_RDONLY), EFAULT);

	struct iovec iov[2] = { { fresh(flags, 2), 2 * PAGE }, { fresh(flags, 2), 2 * PAGE } };
	CHECK(readv(zero, iov, 2) == 4 * PAGE);
	OK(close(zero) | close(null) | close(fd) | close(pipes[0]) | close(pipes[1]));
}

int main(void)
{
	char room[256 << 10];

	/* the stack, further down than it has been used */
	int zero = OK(open("/dev/zero", O_RDONLY));
	CHECK(read(zero, room, sizeof room) == sizeof room);
	all(MAP_PRIVATE | MAP_ANONYMOUS);
	all(MAP_SHARED | MAP_ANONYMOUS);
	return 0;
}
