/* A shared mapping of a file is the file: read() and write() see the same
 * bytes, on tmpfs and on a block device; what is cut off is SIGBUS. */
#include "test.h"
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf env;
static siginfo_t seen;
static void handler(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	seen = *si;
	siglongjmp(env, 1);
}

static volatile char sink;
static void bus_error(volatile char *p, int write)
{
	if (!sigsetjmp(env, 1)) {
		if (write) *p = 1;
		else sink = *p;
		test_fail(__FILE__, __LINE__, "no fault");
	}
	CHECK(seen.si_signo == SIGBUS && seen.si_code == BUS_ADRERR && seen.si_addr == p);
}

static char at(int fd, off_t offset)
{
	char c;
	CHECK(pread(fd, &c, 1, offset) == 1);
	return c;
}

static void coherent(int fd)
{
	OK(ftruncate(fd, 0));
	OK(ftruncate(fd, 3 * PAGE));
	char *p = OK(mmap(0, 4 * PAGE, RW, MAP_SHARED, fd, 0));
	char *q = OK(mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, PAGE));
	char *r = OK(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE));

	CHECK(p[PAGE] == 0 && q[0] == 0);
	p[PAGE] = 'a';
	CHECK(at(fd, PAGE) == 'a' && q[0] == 'a' && r[0] == 'a');
	CHECK(pwrite(fd, "bc", 2, PAGE) == 2);
	CHECK(p[PAGE] == 'b' && q[1] == 'c');
	/* from a mapping of the file into the file, and back */
	CHECK(pwrite(fd, p + PAGE, PAGE, 0) == PAGE && p[0] == 'b');
	CHECK(pread(fd, p + 2 * PAGE, PAGE, PAGE) == PAGE && p[2 * PAGE + 1] == 'c');
	OK(msync(p, 3 * PAGE, MS_SYNC));
	p[5] = 'd';
	CHECK(at(fd, 5) == 'd');
	OK(fsync(fd));
	p[5] = 'e';
	CHECK(at(fd, 5) == 'e');

	/* a page behind the end; what is cut off; what comes again */
	bus_error(p + 3 * PAGE, 0);
	bus_error(p + 3 * PAGE + 7, 1);
	p[PAGE + 100] = 'x';
	OK(ftruncate(fd, PAGE + 50));
	bus_error(p + 2 * PAGE, 1);
	CHECK(p[PAGE] == 'b' && p[PAGE + 100] == 0);
	errno = 0;
	CHECK(write(fd, p + 2 * PAGE, 1) == -1 && errno == EFAULT);
	OK(ftruncate(fd, 3 * PAGE));
	CHECK(p[2 * PAGE] == 0);
	p[2 * PAGE] = 'z';
	CHECK(at(fd, 2 * PAGE) == 'z');
	/* the private copy was made before */
	CHECK(r[0] == 'a');
	OK(munmap(p, 4 * PAGE) | munmap(q, PAGE) | munmap(r, PAGE));
	CHECK(at(fd, 2 * PAGE) == 'z' && at(fd, 0) == 'b');
}

static void refused(const char *path)
{
	int fd = OK(open(path, O_RDONLY));
	FAILS((long)mmap(0, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
	char *p = OK(mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	FAILS(mprotect(p, PAGE, RW), EACCES);
	OK(munmap(p, PAGE));
	OK(close(fd));
	fd = OK(open(path, O_WRONLY));
	FAILS((long)mmap(0, PAGE, PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	OK(close(fd));
	int pipes[2];
	OK(pipe(pipes));
	FAILS((long)mmap(0, PAGE, PROT_READ, MAP_SHARED, pipes[0], 0), ENODEV);
}

static void sealed(void)
{
	int fd = OK(memfd_create("sealed", MFD_ALLOW_SEALING));
	OK(ftruncate(fd, PAGE));
	char *p = OK(mmap(0, PAGE, RW, MAP_SHARED, fd, 0));
	FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	p[0] = 1;
	OK(munmap(p, PAGE));
	OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	FAILS((long)mmap(0, PAGE, RW, MAP_SHARED, fd, 0), EPERM);
	p = OK(mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	CHECK(p[0] == 1);
	FAILS(mprotect(p, PAGE, RW), EACCES);
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	OK(sigaction(SIGBUS, &sa, 0));
	int fd = OK(open("/tmp/shared-file", O_RDWR | O_CREAT | O_TRUNC, 0600));
	coherent(fd);
	refused("/tmp/shared-file");
	sealed();

	CHECK(system("mke2fs -q /dev/ram0 512 >/dev/null") == 0);
	OK(mkdir("/tmp/disk", 0700));
	OK(mount("/dev/ram0", "/tmp/disk", "ext2", 0, 0));
	fd = OK(open("/tmp/disk/file", O_RDWR | O_CREAT, 0600));
	coherent(fd);
	OK(close(fd));
	/* What the mapping wrote reached the device. */
	OK(umount("/tmp/disk"));
	OK(mount("/dev/ram0", "/tmp/disk", "ext2", MS_RDONLY, 0));
	fd = OK(open("/tmp/disk/file", O_RDONLY));
	CHECK(at(fd, 2 * PAGE) == 'z' && at(fd, 0) == 'b');
	OK(close(fd));
	OK(umount("/tmp/disk"));
	return 0;
}
