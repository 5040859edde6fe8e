/* mremap: every flag, what is kept and what is refused. */
#include "test.h"
#include <sys/mman.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *page;
static volatile char sink;
static void look(void) { sink = *(volatile char *)page; }
static char *map(int pages) { return OK(mmap(0, pages * PAGE, RW, ANON, -1, 0)); }

int main(void)
{
	char *room = map(64), *p = map(8), *q;

	/* fixed: over what was there, back and forth */
	for (int i = 0; i < 8; i++) p[i * PAGE] = i + 1;
	room[0] = room[9 * PAGE] = 42;
	q = OK(mremap(p, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room + PAGE));
	CHECK(q == room + PAGE && room[0] == 42 && room[9 * PAGE] == 42);
	for (int i = 0; i < 8; i++) CHECK(q[i * PAGE] == i + 1);
	page = p;
	CHECK(killed(in_child(look), SIGSEGV));
	q = OK(mremap(q, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room + 40 * PAGE));
	CHECK(q == room + 40 * PAGE && q[7 * PAGE] == 8 && !q[8 * PAGE] && !q[16 * PAGE - 1]);
	/* ... grown after a move, and moved again */
	q[15 * PAGE] = 16;
	q = OK(mremap(q, 16 * PAGE, 12 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room + 8 * PAGE));
	CHECK(q[7 * PAGE] == 8 && q[0] == 1);
	page = room + 20 * PAGE;
	look();

	/* the old pages stay, empty */
	p = map(4);
	p[0] = 5;
	q = OK(mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	CHECK(q != p && q[0] == 5 && !p[0]);
	p[0] = 6;
	CHECK(q[0] == 5);

	/* part of a mapping */
	p = map(6);
	for (int i = 0; i < 6; i++) p[i * PAGE] = i + 1;
	q = OK(mremap(p + 2 * PAGE, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE));
	CHECK(q[0] == 3 && q[PAGE] == 4 && !q[2 * PAGE]);
	CHECK(p[PAGE] == 2 && p[4 * PAGE] == 5);
	page = p + 2 * PAGE;
	CHECK(killed(in_child(look), SIGSEGV));

	/* protection goes along */
	p = map(2);
	p[0] = 1;
	OK(mprotect(p, 2 * PAGE, PROT_NONE));
	q = OK(mremap(p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE));
	page = q;
	CHECK(killed(in_child(look), SIGSEGV));
	OK(mprotect(q, 4 * PAGE, PROT_READ));
	CHECK(q[0] == 1);

	p = map(4);
	FAILS((long)mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_FIXED, room), EINVAL);
	FAILS((long)mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE), EINVAL);
	FAILS((long)mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room + 1), EINVAL);
	FAILS((long)mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)PAGE), EPERM);
	FAILS((long)mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP), EINVAL);
	FAILS((long)mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_DONTUNMAP), EINVAL);
	FAILS((long)mremap(p + 1, PAGE, PAGE, 0), EINVAL);
	FAILS((long)mremap(p, 4 * PAGE, 0, 0), EINVAL);
	FAILS((long)mremap(p, 4 * PAGE, PAGE, 64), EINVAL);
	FAILS((long)mremap(p, 0, PAGE, MREMAP_MAYMOVE), EINVAL);
	FAILS((long)mremap((void *)0x20, PAGE, PAGE, 0), EINVAL);
	OK(munmap(p, 4 * PAGE));
	FAILS((long)mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE), EFAULT);

	/* what goes need not be one mapping */
	q = map(4);
	q[0] = 7;
	OK(mprotect(q + 2 * PAGE, PAGE, PROT_READ));
	CHECK(OK(mremap(q, 4 * PAGE, PAGE, 0)) == q && q[0] == 7);
	page = q + 2 * PAGE;
	CHECK(killed(in_child(look), SIGSEGV));
	OK(munmap(q, PAGE));

	FAILS((long)mmap(room, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	CHECK(OK(mmap(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0)) == p);
	return 0;
}
