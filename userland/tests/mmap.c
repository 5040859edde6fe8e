/* Anonymous memory: mapping, unmapping, protection, moving, brk. */
#include "test.h"
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *page;
static void touch(void) { *(volatile char *)page = 1; }
/* The value is used: an engine may leave out a load that is not. */
static volatile char sink;
static void look(void) { sink = *page; }

int main(void)
{
	char *p = OK(mmap(0, 16 * PAGE, RW, ANON, -1, 0));
	for (int i = 0; i < 16 * PAGE; i++) CHECK(!p[i]);
	memset(p, 7, 16 * PAGE);

	/* a hole faults, its neighbours stay */
	page = p + 4 * PAGE;
	OK(munmap(page, PAGE));
	CHECK(killed(in_child(look), SIGSEGV));
	CHECK(p[4 * PAGE - 1] == 7 && p[5 * PAGE] == 7);
	CHECK(OK(mmap(page, PAGE, RW, ANON | MAP_FIXED, -1, 0)) == page && !*page);

	OK(mprotect(page, PAGE, PROT_READ));
	CHECK(killed(in_child(touch), SIGSEGV) && exited(in_child(look), 0));
	OK(mprotect(page, PAGE, PROT_NONE));
	CHECK(killed(in_child(look), SIGSEGV));
	OK(mprotect(page, PAGE, RW));
	touch();

	/* grows in place or moves, content kept, rest zero */
	OK(munmap(p, 16 * PAGE));
	p = OK(mmap(0, 16 * PAGE, RW, ANON, -1, 0));
	p[0] = 7, p[4 * PAGE] = 1, p[16 * PAGE - 1] = 9;
	char *q = OK(mremap(p, 16 * PAGE, 64 * PAGE, MREMAP_MAYMOVE));
	CHECK(q[0] == 7 && q[4 * PAGE] == 1 && q[16 * PAGE - 1] == 9 && !q[16 * PAGE]);
	q = OK(mremap(q, 64 * PAGE, 2 * PAGE, 0));
	page = q + 2 * PAGE;
	CHECK(killed(in_child(look), SIGSEGV));
	OK(munmap(q, 2 * PAGE));

	FAILS((long)mmap(0, 0, RW, ANON, -1, 0), EINVAL);
	FAILS((long)mmap(0, 0xfff00000u, RW, ANON, -1, 0), ENOMEM);
	FAILS((long)mmap(0, PAGE, RW, ANON | MAP_HUGETLB, -1, 0), EINVAL);
	FAILS((long)mmap(0, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS((long)mmap((void *)123, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	FAILS(munmap((void *)123, PAGE), EINVAL);

	char *end = sbrk(0);
	CHECK(syscall(214, end + 10 * PAGE) == (long)(end + 10 * PAGE));
	for (int i = 0; i < 9 * PAGE; i++) CHECK(!end[i]);
	memset(end, 1, 10 * PAGE);
	CHECK(syscall(214, end) == (long)end);
	CHECK(syscall(214, end + 10 * PAGE) == (long)(end + 10 * PAGE) && !end[9 * PAGE]);

	/* a lot, little touched */
	p = OK(mmap(0, 512 << 20, RW, ANON | MAP_NORESERVE, -1, 0));
	for (int i = 0; i < 512; i += 64) p[i << 20] = i;
	CHECK(p[448 << 20] == (char)448);
	OK(madvise(p, 512 << 20, MADV_DONTNEED));
	CHECK(!p[64 << 20]);
	OK(munmap(p, 512 << 20));

	/* a touch that maps is a fault, and counts */
	struct rusage before, after;
	p = OK(mmap(0, 64 * PAGE, RW, ANON, -1, 0));
	OK(getrusage(RUSAGE_SELF, &before));
	p[0] = p[63 * PAGE] = 1;
	OK(getrusage(RUSAGE_SELF, &after));
	CHECK(after.ru_minflt > before.ru_minflt);
	return 0;
}
