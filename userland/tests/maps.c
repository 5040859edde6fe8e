/* /proc/self/maps: neighbours that are alike are one line. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char text[32768];

/* The line of the mapping that has this page, and how many there are. */
static int lines(void *page, unsigned long *start, unsigned long *end, char *prot, char *name)
{
	int fd = OK(open("/proc/self/maps", O_RDONLY)), n = 0, count = 0, got;
	while ((got = OK(read(fd, text + n, sizeof text - 1 - n))) > 0) n += got;
	text[n] = 0;
	OK(close(fd));
	*start = *end = 0;
	for (char *at = text, *next; (next = strchr(at, '\n')); at = next + 1, count++) {
		unsigned long from, to;
		char flags[8], path[256] = "";
		*next = 0;
		CHECK(sscanf(at, "%lx-%lx %7s %*x %*s %*d %255[^\n]", &from, &to, flags, path) >= 3);
		if (page && (unsigned long)page >= from && (unsigned long)page < to)
			*start = from, *end = to, strcpy(prot, flags), strcpy(name, path);
	}
	return count;
}

int main(void)
{
	unsigned long start, end, was_start, was_end;
	char prot[8], name[256];
	char *p = OK(mmap(0, 16 * PAGE, RW, ANON, -1, 0));
	int count = lines(p, &was_start, &was_end, prot, name);

	CHECK(!strncmp(prot, "rw-p", 4));
	OK(mprotect(p + 4 * PAGE, PAGE, PROT_READ));
	CHECK(lines(p + 4 * PAGE, &start, &end, prot, name) == count + 2);
	CHECK(start == (unsigned long)p + 4 * PAGE && end == start + PAGE && !strncmp(prot, "r--p", 4));
	OK(mprotect(p + 4 * PAGE, PAGE, RW));
	CHECK(lines(p, &start, &end, prot, name) == count && start == was_start && end == was_end);

	OK(munmap(p + 8 * PAGE, PAGE));
	CHECK(lines(0, &start, &end, prot, name) == count + 1);
	OK(mmap(p + 8 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	CHECK(lines(p, &start, &end, prot, name) == count && start == was_start && end == was_end);
	OK(madvise(p + PAGE, PAGE, MADV_DONTFORK));
	OK(madvise(p + PAGE, PAGE, MADV_DOFORK));
	CHECK(lines(0, &start, &end, prot, name) == count);

	/* a shared file: split and joined, with its name and offset */
	int fd = OK(open("/tmp/maps-file", O_RDWR | O_CREAT, 0600));
	OK(ftruncate(fd, 8 * PAGE));
	char *q = OK(mmap(0, 8 * PAGE, RW, MAP_SHARED, fd, 0));
	count = lines(q, &start, &end, prot, name);
	CHECK(!strncmp(prot, "rw-s", 4) && !strcmp(name, "/tmp/maps-file") && end - start == 8 * PAGE);
	OK(mprotect(q + PAGE, PAGE, PROT_NONE));
	CHECK(lines(q + PAGE, &start, &end, prot, name) == count + 2 && !strncmp(prot, "---s", 4));
	OK(mprotect(q + PAGE, PAGE, RW));
	CHECK(lines(q, &start, &end, prot, name) == count && end - start == 8 * PAGE);

	int local;
	lines(&local, &start, &end, prot, name);
	CHECK(!strcmp(name, "[stack]"));
	/* musl's sbrk() does not move it */
	char *heap = sbrk(0);
	CHECK(syscall(SYS_brk, heap + 4 * PAGE) == (long)(heap + 4 * PAGE));
	lines(heap, &start, &end, prot, name);
	CHECK(!strcmp(name, "[heap]"));
	lines(OK(mmap(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0)), &start, &end, prot, name);
	CHECK(!strcmp(name, "/dev/zero (deleted)"));
	return 0;
}
