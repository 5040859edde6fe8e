/* Mapped files: private copies, offsets, what lies behind the end. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>

int main(void)
{
	char text[8192];
	int fd = OK(open("/tmp/mmap-file", O_RDWR | O_CREAT | O_TRUNC, 0600));

	for (int i = 0; i < 8192; i++) text[i] = i / 4096 + 'a';
	CHECK(write(fd, text, 5000) == 5000);
	char *p = OK(mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	CHECK(p[0] == 'a' && p[4096] == 'b' && p[4999] == 'b' && p[5000] == 0);
	p[0] = 'X';
	CHECK(pread(fd, text, 1, 0) == 1 && text[0] == 'a');
	OK(munmap(p, 8192));

	p = OK(mmap(0, 100, PROT_READ, MAP_PRIVATE, fd, 4096));
	CHECK(p[0] == 'b' && p[904] == 0);
	OK(close(fd));
	CHECK(p[1] == 'b');
	OK(munmap(p, 100));

	FAILS((long)mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0), EBADF);
	fd = OK(open("/tmp/mmap-file", O_WRONLY));
	FAILS((long)mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0), EACCES);
	OK(unlink("/tmp/mmap-file"));
	return 0;
}
