/* Shared memory between processes: anonymous, memfd, POSIX. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>

#define RW (PROT_READ | PROT_WRITE)
static volatile int *shared;
static void set(void) { shared[0] = 5, shared[1023] = 6; }

static void both_see(void)
{
	shared[0] = 1;
	CHECK(exited(in_child(set), 0) && shared[0] == 5 && shared[1023] == 6);
	OK(munmap((void *)shared, 4096));
}

int main(void)
{
	shared = OK(mmap(0, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	both_see();

	int fd = OK(memfd_create("test", MFD_CLOEXEC));
	OK(ftruncate(fd, 4096));
	shared = OK(mmap(0, 4096, RW, MAP_SHARED, fd, 0));
	int *again = OK(mmap(0, 4096, RW, MAP_SHARED, fd, 0));
	shared[7] = 77;
	CHECK(again[7] == 77);
	both_see();
	int value;
	CHECK(pread(fd, &value, 4, 4092) == 4 && value == 6);

	fd = OK(shm_open("/test", O_RDWR | O_CREAT | O_EXCL, 0600));
	OK(ftruncate(fd, 4096));
	shared = OK(mmap(0, 4096, RW, MAP_SHARED, fd, 0));
	both_see();
	OK(shm_unlink("/test"));
	return 0;
}
