/* Programs and files of an overlay: what maps says of them is what stat says. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PAGE 4096
#define PROGRAM "/tmp/layers/all/program"

static char text[32768];

/* The line of /proc/self/maps that names the file is about this very file. */
static void mapped_as(const char *path)
{
	int fd = OK(open("/proc/self/maps", O_RDONLY)), n = 0, got;
	unsigned major, minor;
	unsigned long long inode;
	struct stat st;

	while ((got = OK(read(fd, text + n, sizeof text - 1 - n))) > 0) n += got;
	text[n] = 0;
	OK(close(fd));
	char *at = strstr(text, path);
	CHECK(at);
	while (at > text && at[-1] != '\n') at--;
	CHECK(sscanf(at, "%*x-%*x %*s %*x %x:%x %llu", &major, &minor, &inode) == 3);
	OK(stat(path, &st));
	CHECK(inode == st.st_ino && makedev(major, minor) == st.st_dev);
}

static void copy(const char *from, const char *to)
{
	int in = OK(open(from, O_RDONLY)), out = OK(open(to, O_WRONLY | O_CREAT, 0755));
	ssize_t n;

	while ((n = OK(read(in, text, sizeof text))) > 0) CHECK(write(out, text, n) == n);
	OK(close(in));
	OK(close(out));
}

static void run(void)
{
	execl(PROGRAM, PROGRAM, "overlay", NULL);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		mapped_as(argv[0]);
		return 42;
	}
	OK(mkdir("/tmp/layers", 0755));
	OK(mount("tmpfs", "/tmp/layers", "tmpfs", 0, NULL));
	for (const char *const *dir = (const char *const[]){ "lower", "upper", "work", "all", NULL }; *dir; dir++) {
		char path[64];
		snprintf(path, sizeof path, "/tmp/layers/%s", *dir);
		OK(mkdir(path, 0755));
	}
	copy("/proc/self/exe", "/tmp/layers/lower/program");
	copy("/proc/self/exe", "/tmp/layers/lower/data");
	OK(mount("overlay", "/tmp/layers/all", "overlay", 0,
		 "lowerdir=/tmp/layers/lower,upperdir=/tmp/layers/upper,workdir=/tmp/layers/work"));
	CHECK(exited(in_child(run), 42));
	int fd = OK(open("/tmp/layers/all/data", O_RDONLY));
	void *page = OK(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	mapped_as("/tmp/layers/all/data");
	OK(munmap(page, PAGE));

	/* one that was copied up since */
	fd = OK(open("/tmp/layers/all/data", O_RDWR));
	CHECK(write(fd, "x", 1) == 1);
	OK(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	mapped_as("/tmp/layers/all/data");
	return 0;
}
