/* Who wants more memory than there is dies, alone: in the machine as a whole
 * and in a cgroup. */
#include "test.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define ROOT "/mnt"
#define MB (1 << 20)

static void put(const char *file, const char *text)
{
	int fd = OK(open(file, O_WRONLY));
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	OK(close(fd));
}

static long get(const char *file)
{
	char text[64] = "";
	int fd = OK(open(file, O_RDONLY));
	CHECK(read(fd, text, sizeof text - 1) > 0);
	OK(close(fd));
	return strtol(text, 0, 10);
}

static char *take(size_t size)
{
	return OK(mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0));
}

static void hog(void)
{
	for (;;) memset(take(16 * MB), 1, 16 * MB);
}

static void logged(const char *what)
{
	static char log[1 << 17];
	int n = OK(klogctl(3, log, sizeof log - 1));
	log[n] = 0;
	CHECK(strstr(log, what));
}

static void join(void)
{
	char self[16];
	snprintf(self, sizeof self, "%d", getpid());
	put(ROOT "/test/cgroup.procs", self);
}

static void grouped_hog(void) { join(); hog(); }

/* It had memory before; a page it touches brings all of it along. */
static void counted(void)
{
	memset(take(4 * MB), 1, 4 * MB);
	join();
	char *p = take(8 * MB);
	memset(p, 1, 8 * MB);
	long now = get(ROOT "/test/memory.current");
	CHECK(now >= 12 * MB && now < 16 * MB);
	OK(munmap(p, 8 * MB));
	CHECK(get(ROOT "/test/memory.current") < 8 * MB);
	/* a child's memory is its group's too */
	pid_t pid = OK(fork());
	if (!pid) {
		memset(take(4 * MB), 1, 4 * MB);
		CHECK(get(ROOT "/test/memory.current") >= 12 * MB);
		_exit(0);
	}
	int status;
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 0));
}

/* Copying out is an access like the program's own. */
static void reader(void)
{
	join();
	int fd = OK(open("/dev/zero", O_RDONLY));
	char *p = take(64 * MB);
	for (int i = 0; i < 64; i++) read(fd, p + i * MB, MB);
}

int main(void)
{
	put("/proc/self/oom_score_adj", "-900");
	pid_t pid = OK(fork());
	if (!pid) {
		put("/proc/self/oom_score_adj", "0");
		hog();
	}
	int status;
	OK(waitpid(pid, &status, 0));
	CHECK(killed(status, SIGKILL));
	logged("Out of memory: Killed process");
	/* all of it is there again */
	char *p = take(64 * MB);
	memset(p, 1, 64 * MB);
	OK(munmap(p, 64 * MB));

	OK(unshare(CLONE_NEWNS));
	OK(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0));
	OK(mount("none", ROOT, "cgroup2", 0, 0));
	put(ROOT "/cgroup.subtree_control", "+memory");
	OK(mkdir(ROOT "/test", 0700));
	put("/proc/self/oom_score_adj", "0");
	CHECK(exited(in_child(counted), 0));
	put(ROOT "/test/memory.max", "33554432");
	CHECK(killed(in_child(grouped_hog), SIGKILL));
	logged("Memory cgroup out of memory: Killed process");
	CHECK(killed(in_child(reader), SIGKILL));
	CHECK(get(ROOT "/test/memory.current") < 4 * MB);
	OK(rmdir(ROOT "/test"));
	return 0;
}
