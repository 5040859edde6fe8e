/* File offsets and sizes beyond 32 bits, in every call that takes one. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define FAR 0x123456789aLL

int main(void)
{
	struct stat st;
	char text[8] = "";
	struct iovec iov = { text, 4 };
	int fd = OK(open("/tmp/offsets", O_RDWR | O_CREAT | O_TRUNC, 0600));

	CHECK(sizeof(off_t) == 8);
	CHECK(pwrite(fd, "far", 3, FAR) == 3);
	CHECK(pread(fd, text, 4, FAR) == 3 && !strcmp(text, "far"));
	OK(fstat(fd, &st));
	CHECK(st.st_size == FAR + 3 && st.st_blocks < 100);
	CHECK(lseek(fd, -3, SEEK_END) == FAR && read(fd, text, 3) == 3);
	CHECK(lseek(fd, FAR + 1, SEEK_SET) == FAR + 1 && lseek(fd, 0, SEEK_CUR) == FAR + 1);
	memset(text, 0, sizeof text);
	CHECK(preadv(fd, &iov, 1, FAR) == 3 && !strcmp(text, "far"));
	CHECK(pwritev(fd, &iov, 1, FAR * 2) == 4);
	CHECK(preadv2(fd, &iov, 1, FAR * 2, 0) == 4);
	OK(ftruncate(fd, FAR + 1));
	OK(stat("/tmp/offsets", &st));
	CHECK(st.st_size == FAR + 1);
	OK(truncate("/tmp/offsets", FAR * 3));
	CHECK(lseek(fd, 0, SEEK_END) == FAR * 3);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FAR, 4096));
	CHECK(pread(fd, text, 1, FAR) == 1 && !text[0]);
	CHECK(!posix_fallocate(fd, FAR * 3, 4096) && lseek(fd, 0, SEEK_END) == FAR * 3 + 4096);
	CHECK(!posix_fadvise(fd, FAR, FAR, POSIX_FADV_DONTNEED));
	OK(sync_file_range(fd, FAR, 4096, SYNC_FILE_RANGE_WRITE));
	OK(pwrite(fd, "send", 4, FAR));
	OK(ftruncate(fd, FAR + 4));
	off_t from = FAR;
	int fds[2];
	OK(pipe(fds));
	CHECK(sendfile(fds[1], fd, &from, 4) == 4 && from == FAR + 4);
	CHECK(read(fds[0], text, 4) == 4 && !memcmp(text, "send", 4));

	char *p = OK(mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, FAR & -4096LL));
	CHECK(!memcmp(p + (FAR & 4095), "send", 4));
	struct flock lock = { .l_type = F_WRLCK, .l_start = FAR, .l_len = FAR };
	OK(fcntl(fd, F_SETLK, &lock));
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	struct rlimit rl = { 0x200000000LL, RLIM_INFINITY };
	OK(setrlimit(RLIMIT_FSIZE, &rl));
	rl.rlim_cur = 0;
	OK(getrlimit(RLIMIT_FSIZE, &rl));
	/* A 32-bit kernel has no such limit: it takes it for none. */
	CHECK(rl.rlim_cur == RLIM_INFINITY && rl.rlim_max == RLIM_INFINITY);
	OK(unlink("/tmp/offsets"));
	return 0;
}
