/* RLIMIT_AS, _DATA and _STACK; what the machine promises; who has how much. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MB (1 << 20)

static void limit(int which, rlim_t to)
{
	struct rlimit rl = { to, to };
	OK(setrlimit(which, &rl));
}

static void put(const char *file, const char *text)
{
	int fd = OK(open(file, O_WRONLY));
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	OK(close(fd));
}

static long field(const char *file, const char *name)
{
	char text[8192] = "", *at;
	int fd = OK(open(file, O_RDONLY));
	CHECK(read(fd, text, sizeof text - 1) > 0 && (at = strstr(text, name)));
	OK(close(fd));
	return strtol(at + strlen(name), 0, 10);
}

static void space(void)
{
	limit(RLIMIT_AS, 64 * MB);
	FAILS((long)mmap(0, 64 * MB, PROT_NONE, ANON, -1, 0), ENOMEM);
	char *p = OK(mmap(0, 16 * MB, RW, ANON, -1, 0));
	FAILS((long)mremap(p, 16 * MB, 64 * MB, MREMAP_MAYMOVE), ENOMEM);
	FAILS((long)mmap(0, 60 * MB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), ENOMEM);
	CHECK(!OPAQUE(malloc(60 * MB)));
}

static void data(void)
{
	limit(RLIMIT_DATA, 4 * MB);
	FAILS((long)mmap(0, 8 * MB, RW, ANON, -1, 0), ENOMEM);
	OK(mmap(0, 8 * MB, PROT_READ, ANON, -1, 0));
	OK(mmap(0, 8 * MB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	char *heap = sbrk(0);
	CHECK(syscall(SYS_brk, heap + 8 * MB) == (long)heap);
	CHECK(syscall(SYS_brk, heap + MB) == (long)(heap + MB));
}

static int deep(int n)
{
	volatile char room[4096];
	room[n % 4096] = n;
	return n ? deep(n - 1) + room[n % 4096] : 0;
}

/* A stack is as large as its limit was at exec, and no larger. */
static void stack(void)
{
	char self[32], arg[16];
	limit(RLIMIT_STACK, MB);
	snprintf(self, sizeof self, "/proc/self/exe");
	snprintf(arg, sizeof arg, "%d", 200);
	if (!fork()) execl(self, self, "200", (char *)0);
	int status;
	OK(wait(&status));
	CHECK(exited(status, 0));
	if (!fork()) execl(self, self, "400", (char *)0);
	OK(wait(&status));
	CHECK(killed(status, SIGSEGV));
}

static void promises(void)
{
	long total = field("/proc/meminfo", "MemTotal:");
	/* an obvious overcommit */
	put("/proc/sys/vm/overcommit_memory", "0");
	limit(RLIMIT_AS, RLIM_INFINITY);
	CHECK(total < 1500 << 10);
	FAILS((long)mmap(0, 1500 << 20, RW, ANON, -1, 0), ENOMEM);
	OK(munmap(OK(mmap(0, 1500 << 20, RW, ANON | MAP_NORESERVE, -1, 0)), 1500 << 20));

	put("/proc/sys/vm/overcommit_memory", "2");
	put("/proc/sys/vm/overcommit_ratio", "50");
	long allowed = field("/proc/meminfo", "CommitLimit:");
	CHECK(allowed > total / 2 - 64 && allowed < total / 2 + 64);
	long before = field("/proc/meminfo", "Committed_AS:");
	char *p = OK(mmap(0, 64 * MB, RW, ANON, -1, 0));
	CHECK(field("/proc/meminfo", "Committed_AS:") >= before + 65536);
	char *q = OK(mmap(0, (size_t)allowed << 10, PROT_READ, ANON, -1, 0));
	FAILS(mprotect(q, (size_t)allowed << 10, RW), ENOMEM);
	FAILS((long)mmap(0, (size_t)allowed << 10, RW, ANON, -1, 0), ENOMEM);
	OK(munmap(p, 64 * MB));
	CHECK(field("/proc/meminfo", "Committed_AS:") < before + 65536);
	put("/proc/sys/vm/overcommit_memory", "1");
	OK(mmap(0, (size_t)1 << 30, RW, ANON, -1, 0));
	put("/proc/sys/vm/overcommit_memory", "0");
}

static void touches(void)
{
	memset(OK(mmap(0, 24 * MB, RW, ANON, -1, 0)), 1, 24 * MB);
}

static void resident(void)
{
	struct rusage ru;
	struct sysinfo si;
	const char *status = "/proc/self/status";
	long before = field(status, "VmRSS:"), free = field("/proc/meminfo", "MemFree:");

	char *p = OK(mmap(0, 32 * MB, RW, ANON, -1, 0));
	CHECK(field(status, "VmRSS:") < before + 64);
	memset(p, 1, 16 * MB);
	long rss = field(status, "VmRSS:") - before;
	CHECK(rss >= 16384 && rss < 16384 + 4096);
	CHECK(field("/proc/meminfo", "MemFree:") <= free - 16384 + 1024);
	OK(getrusage(RUSAGE_SELF, &ru));
	CHECK(ru.ru_maxrss >= before + 16384 && ru.ru_maxrss < before + 16384 + 4096);
	OK(munmap(p, 32 * MB));
	rss = field(status, "VmRSS:");
	CHECK(rss < before + 256);
	OK(getrusage(RUSAGE_SELF, &ru));
	CHECK(ru.ru_maxrss >= before + 16384 && field(status, "VmHWM:") == ru.ru_maxrss);

	p = OK(mmap(0, 4 * MB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	long shared = field(status, "RssShmem:");
	memset(p, 1, 4 * MB);
	CHECK(field(status, "RssShmem:") == shared + 4096);

	CHECK(exited(in_child(touches), 0));
	OK(getrusage(RUSAGE_CHILDREN, &ru));
	CHECK(ru.ru_maxrss >= 24 << 10 && ru.ru_maxrss < 40 << 10);
	OK(sysinfo(&si));
	CHECK(si.totalram * (uint64_t)si.mem_unit >> 10 == (uint64_t)field("/proc/meminfo", "MemTotal:"));
}

int main(int argc, char **argv)
{
	if (argc > 1) return deep(atoi(argv[1])) == -1;
	CHECK(exited(in_child(space), 0));
	CHECK(exited(in_child(data), 0));
	CHECK(exited(in_child(stack), 0));
	CHECK(exited(in_child(promises), 0));
	CHECK(exited(in_child(resident), 0));
	return 0;
}
