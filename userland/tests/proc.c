/* /proc tells the truth about a process. */
#include "test.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

static char text[65536];

static int slurp(const char *path)
{
	int fd = OK(open(path, O_RDONLY)), n = 0, got;
	while ((got = OK(read(fd, text + n, sizeof text - 1 - n))) > 0) n += got;
	text[n] = 0;
	OK(close(fd));
	return n;
}

static long field(const char *name)
{
	slurp("/proc/self/status");
	char *at = strstr(text, name);
	CHECK(at);
	return strtol(at + strlen(name), 0, 10);
}

int main(int argc, char **argv)
{

	struct sysinfo si;
	(void)argc;

	CHECK(slurp("/proc/self/cmdline") > (int)strlen(argv[0]) && !strcmp(text, argv[0]));
	CHECK(field("Pid:") == getpid() && field("Threads:") == 1 && field("Uid:") == (long)getuid());

	long before = field("VmSize:"), rss = field("VmRSS:");
	char *p = OK(mmap(0, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK(field("VmSize:") == before + 8192);
	memset(p, 1, 4 << 20);
	CHECK(field("VmRSS:") >= rss + 4096);
	CHECK(OPAQUE(malloc(100)));
	slurp("/proc/self/maps");
	CHECK(strstr(text, "[stack]") && strstr(text, "[heap]") && strstr(text, " rw-p "));

	struct rlimit rl = { 64 << 20, 64 << 20 };
	OK(setrlimit(RLIMIT_AS, &rl));
	FAILS((long)mmap(0, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	OK(sysinfo(&si));
	CHECK(si.totalram && si.freeram <= si.totalram && si.procs >= 2);
	slurp("/proc/self/environ");
	slurp("/proc/self/stat");
	CHECK(atoi(text) == getpid());
	CHECK(slurp("/proc/meminfo") && strstr(text, "MemFree"));
	CHECK(slurp("/proc/cpuinfo") >= 0 && sysconf(_SC_NPROCESSORS_ONLN) == 1);
	return 0;
}
