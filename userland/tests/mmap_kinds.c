/* A file of every kind is mapped, or says why it cannot be. A TCP socket ended
 * the kernel, which called what the protocol has only with an MMU (the syscall
 * fuzzer found it); /dev/zero gave SIGBUS. */
#include "test.h"
#include <fcntl.h>
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#define PAGE 4096

/* Not an errno: memory that can be used, or a mapping of nothing. */
enum { MEMORY = 0, NOTHING = -1 };

struct kind {
	const char *name;
	int fd;
	int private, shared;
};

static int a(const char *path, int flags) { return OK(open(path, flags | O_CLOEXEC, 0600)); }

static int node(const char *path, mode_t mode, int flags)
{
	OK(mknod(path, mode, 0));
	return a(path, flags);
}

static int with_a_page(int fd)
{
	OK(ftruncate(fd, PAGE));
	return fd;
}

static int pipe_end(void)
{
	int fds[2];
	OK(pipe(fds));
	return fds[0];
}

static int queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	return OK(mq_open("/kinds", O_RDWR | O_CREAT, 0600, &attr));
}

static int in_ramfs(void)
{
	OK(mkdir("/tmp/ramfs", 0700));
	OK(mount("none", "/tmp/ramfs", "ramfs", 0, 0));
	return with_a_page(a("/tmp/ramfs/file", O_RDWR | O_CREAT));
}

static int events(int fd)
{
	struct epoll_event e = { .events = EPOLLIN };
	OK(epoll_ctl(fd, EPOLL_CTL_ADD, pipe_end(), &e));
	return fd;
}

static sigset_t none;

/* All that a program does with memory. */
static void use(char *p, int flags)
{
	char before = p[5], now;

	memset(p, 7, PAGE);
	OK(msync(p, PAGE, MS_SYNC));
	OK(mprotect(p, PAGE, PROT_READ));
	CHECK(p[PAGE - 1] == 7);
	OK(madvise(p, PAGE, MADV_DONTNEED));
	now = p[5];
	CHECK(now == (flags == MAP_SHARED ? 7 : before));
	p = OK(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	CHECK(p[5] == now);
	if (OK(fork()) == 0) _exit(p[5]);
	int status;
	OK(wait(&status));
	CHECK(exited(status, now));
	OK(munmap(p, 2 * PAGE));
}

static char *page;
static void touch(void) { OPAQUE(*page); }

static void map(const struct kind *k, int flags, int wanted)
{
	char *p = mmap(0, PAGE, PROT_READ | PROT_WRITE, flags, k->fd, 0);
	int err = p == MAP_FAILED ? errno : 0;

	if (wanted > 0 ? err != wanted : err) {
		dprintf(2, "%s, flags %d, errno %d: ", k->name, flags, err);
		CHECK(!"what the table says");
	}
	if (err) return;
	page = p;
	if (wanted == NOTHING)
		CHECK(killed(in_child(touch), SIGBUS));
	else
		use(p, flags);
}

static const struct kind *kinds;
static int n_kinds;

static void map_all(void)
{
	for (int i = 0; i < n_kinds; i++) {
		map(&kinds[i], MAP_PRIVATE, kinds[i].private);
		map(&kinds[i], MAP_SHARED, kinds[i].shared);
	}
}

static void map_all_as_nobody(void)
{
	OK(setuid(65534));
	map_all();
}

/* What only other kernels have: no such file, so no mapping of it. (/tmp has no
 * devices.) */
static void absent(void)
{
	FAILS(syscall(SYS_perf_event_open, 0, 0, -1, -1, 0), ENOSYS);
	FAILS(syscall(SYS_bpf, 0, 0, 0), ENOSYS);
	FAILS(syscall(SYS_userfaultfd, 0), ENOSYS);
	FAILS(syscall(SYS_io_uring_setup, 8, 0), ENOSYS);
	FAILS(syscall(447 /* memfd_secret */, 0), ENOSYS);
	OK(mknod("/mem", S_IFCHR | 0600, 0x101));
	FAILS(open("/mem", O_RDWR), ENXIO);
	OK(mknod("/kmem", S_IFCHR | 0600, 0x102));
	FAILS(open("/kmem", O_RDWR), ENXIO);
}

int main(void)
{
	const struct kind all[] = {
		{ "TCP socket", socket(AF_INET, SOCK_STREAM, 0), ENODEV, ENODEV },
		{ "TCP socket, IPv6", socket(AF_INET6, SOCK_STREAM, 0), ENODEV, ENODEV },
		{ "UDP socket", socket(AF_INET, SOCK_DGRAM, 0), ENODEV, ENODEV },
		{ "raw socket", socket(AF_INET, SOCK_RAW, 1), ENODEV, ENODEV },
		{ "UNIX socket", socket(AF_UNIX, SOCK_STREAM, 0), ENODEV, ENODEV },
		{ "netlink socket", socket(AF_NETLINK, SOCK_RAW, 0), ENODEV, ENODEV },
		{ "packet socket", socket(AF_PACKET, SOCK_RAW, 0), ENODEV, ENODEV },
		{ "pipe", pipe_end(), ENODEV, EACCES },
		{ "FIFO", node("/tmp/fifo", S_IFIFO | 0600, O_RDWR), ENODEV, ENODEV },
		{ "epoll", events(epoll_create1(0)), ENODEV, ENODEV },
		{ "eventfd", eventfd(0, 0), ENODEV, ENODEV },
		{ "timerfd", timerfd_create(CLOCK_MONOTONIC, 0), ENODEV, ENODEV },
		{ "signalfd", signalfd(-1, &none, 0), ENODEV, ENODEV },
		{ "inotify", inotify_init1(0), ENODEV, EACCES },
		{ "pidfd", syscall(SYS_pidfd_open, getpid(), 0), ENODEV, ENODEV },
		{ "message queue", queue(), ENODEV, ENODEV },
		{ "pseudo-terminal", posix_openpt(O_RDWR | O_NOCTTY), ENODEV, ENODEV },
		{ "namespace", a("/proc/self/ns/net", O_RDONLY), ENODEV, EACCES },
		{ "directory", a("/tmp", O_RDONLY), ENODEV, EACCES },
		{ "path", a("/tmp", O_PATH), EBADF, EBADF },
		{ "null", a("/dev/null", O_RDWR), ENODEV, ENODEV },
		{ "zero", a("/dev/zero", O_RDWR), MEMORY, MEMORY },
		{ "full", a("/dev/full", O_RDWR), ENODEV, ENODEV },
		{ "urandom", a("/dev/urandom", O_RDWR), ENODEV, ENODEV },
		{ "kernel log", a("/dev/kmsg", O_RDWR), ENODEV, ENODEV },
		{ "machine", a("/dev/machine", O_WRONLY), EACCES, EACCES },
		{ "fuse", a("/dev/fuse", O_RDWR), ENODEV, ENODEV },
		{ "tun", a("/dev/net/tun", O_RDWR), ENODEV, ENODEV },
		{ "RAM disk", a("/dev/ram0", O_RDWR), MEMORY, MEMORY },
		{ "loop device without a file", a("/dev/loop0", O_RDWR), NOTHING, NOTHING },
		{ "loop control", a("/dev/loop-control", O_RDWR), ENODEV, ENODEV },
		{ "procfs, a sequence", a("/proc/version", O_RDONLY), EIO, EACCES },
		{ "procfs, of a process", a("/proc/self/status", O_RDONLY), ENODEV, EACCES },
		{ "memory of a process", a("/proc/self/mem", O_RDWR), ENODEV, ENODEV },
		{ "sysctl", a("/proc/sys/kernel/hostname", O_RDWR), ENODEV, ENODEV },
		{ "sysfs", a("/sys/kernel/uevent_seqnum", O_RDONLY), ENODEV, EACCES },
		{ "program", a("/proc/self/exe", O_RDONLY), MEMORY, EACCES },
		{ "file", with_a_page(a("/tmp/file", O_RDWR | O_CREAT)), MEMORY, MEMORY },
		{ "empty file", a("/tmp/empty", O_RDWR | O_CREAT), NOTHING, NOTHING },
		{ "shared memory", with_a_page(shm_open("/s", O_RDWR | O_CREAT, 0600)), MEMORY, MEMORY },
		{ "memfd", with_a_page(memfd_create("m", 0)), MEMORY, MEMORY },
		{ "ramfs", in_ramfs(), MEMORY, MEMORY },
	};

	kinds = all;
	n_kinds = sizeof all / sizeof *all;
	for (int i = 0; i < n_kinds; i++)
		if (all[i].fd < 0) test_fail(__FILE__, __LINE__, all[i].name);
	map_all();
	CHECK(exited(in_child(map_all_as_nobody), 0));
	absent();
	return 0;
}
