/* Bad pointers in system calls: EFAULT, never more than that. */
#include "test.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

static void try(void *bad)
{
	int fd[2];
	char *argv[] = { "x", 0 };

	OK(pipe(fd));
	OK(write(fd[1], "text", 4));
	FAILS(write(fd[1], bad, 16), EFAULT);
	FAILS(read(fd[0], bad, 16), EFAULT);
	FAILS(open(bad, O_RDONLY), EFAULT);
	FAILS(stat(bad, &(struct stat){ 0 }), EFAULT);
	FAILS(pipe(bad), EFAULT);
	FAILS(clock_gettime(CLOCK_REALTIME_COARSE, bad), EFAULT);
	FAILS(poll(bad, 1, 0), EFAULT);
	FAILS(writev(fd[1], bad, 1), EFAULT);
	FAILS(writev(fd[1], &(struct iovec){ bad, 8 }, 1), EFAULT);
	FAILS(execve(bad, argv, argv), EFAULT);
	FAILS(execve("/bin/busybox", bad, argv), EFAULT);
	FAILS(socketpair(AF_UNIX, SOCK_STREAM, 0, bad), EFAULT);
	CHECK(!getcwd(bad, 100) && errno == EFAULT);
	OK(close(fd[0]));
	OK(close(fd[1]));
}

int main(void)
{
	char *p = OK(mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int fd[2];

	try((void *)8);
	try((void *)0xfffffff0u);
	try((void *)0x80000001u);
	OK(munmap(p + 4096, 4096));
	try(p + 4096);

	/* half good: what was moved counts */
	OK(pipe(fd));
	memset(p, 'a', 4096);
	int n = write(fd[1], p + 4090, 16);
	CHECK(n == 6 || (n == -1 && errno == EFAULT));
	OK(mprotect(p, 4096, PROT_READ));
	OK(write(fd[1], "a", 1));
	FAILS(read(fd[0], p, 1), EFAULT);
	/* a string that ends where the mapping does */
	OK(mprotect(p, 4096, PROT_READ | PROT_WRITE));
	memcpy(p + 4090, "/dev/\0", 6);
	OK(close(OK(open(p + 4090, O_RDONLY))));
	p[4095] = 'x';
	FAILS(open(p + 4090, O_RDONLY), EFAULT);
	return 0;
}
