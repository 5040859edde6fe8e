/* Random arguments for fuzz.c: descriptors of every kind, pointers that are
 * good, bad or at an edge, structures that are nearly right. Everything comes
 * from one seed. */
#ifndef FUZZ_ARGS_H
#define FUZZ_ARGS_H

#include "test.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>

static uint64_t state;

static uint32_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static uint32_t below(uint32_t n) { return n ? rnd() % n : 0; }
static int one_in(uint32_t n) { return !below(n); }
#define PICK(array) ((array)[below(sizeof(array) / sizeof *(array))])

#define ARENA 65536
static union { unsigned char bytes[ARENA]; uint32_t words[ARENA / 4]; } arena;

static const uint32_t wild[] = {
	0, 1, 8, 0xfff, 0xffff, 0x10000, 0x7ffffffc, 0x80000000, 0xfffeffff, 0xffff0000,
	0xffffefff, 0xfffffff0, 0xffffffff,
};
static uint32_t areas[16];	/* mappings of this process */
static unsigned n_areas;

static const uint32_t numbers[] = {
	0, 1, 2, 3, 4, 7, 8, 16, 31, 63, 100, 127, 255, 256, 512, 1000, 1024, 4095, 4096, 4097, 8192,
	65535, 65536, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
};

static const char *const paths[] = {
	"", ".", "..", "/", "/tmp", "/tmp/a", "/tmp/b", "/tmp/dir", "/tmp/dir/x", "/dev/null",
	"/dev/zero", "/dev/full", "/dev/urandom", "/dev/ptmx", "/dev/tty", "/dev/loop0",
	"/dev/loop-control", "/dev/net/tun", "/dev/fuse", "/dev/pts/0", "/dev/shm", "/proc",
	"/proc/self", "/proc/self/mem", "/proc/self/maps", "/proc/self/fd", "/proc/self/exe",
	"/proc/self/oom_score_adj", "/proc/self/comm", "/proc/self/uid_map", "/proc/self/ns/net",
	"/proc/self/ns/mnt", "/proc/self/ns/user", "/proc/self/attr/current", "/proc/mounts",
	"/proc/net/tcp", "/proc/1/mem", "/proc/2/maps", "/proc/kmsg", "/sys", "/sys/kernel",
	"/bin/busybox", "/bin/true", "/etc/passwd", "/etc/init.d/rcS", "tmpfs", "proc", "ext4",
	"overlay", "devpts", "lo", "user.x", "lowerdir=/tmp,upperdir=/tmp/a,workdir=/tmp/b",
};

static const uint32_t ioctls[] = {
	0x5401, 0x5402, 0x5403, 0x5404, 0x5405, 0x5406, 0x5409, 0x540a, 0x540b, 0x540c, 0x540d, 0x540e,
	0x540f, 0x5410, 0x5411, 0x5412, 0x5413, 0x5414, 0x5415, 0x5416, 0x5418, 0x5419, 0x541b, 0x541d,
	0x5420, 0x5421, 0x5422, 0x5423, 0x5424, 0x5425, 0x5428, 0x5429, 0x80045430, 0x40045431, 0x5441,
	0x5450, 0x5451, 0x5452, 0x5460, /* ttys */
	0x4c00, 0x4c01, 0x4c02, 0x4c03, 0x4c04, 0x4c05, 0x4c06, 0x4c07, 0x4c08, 0x4c09, 0x4c0a, 0x4c80,
	0x4c81, 0x4c82, /* loop */
	0x1260, 0x1261, 0x125d, 0x125e, 0x125f, 0x1268, 0x80041272, /* blocks */
	0x8901, 0x8902, 0x8904, 0x8906, 0x8907, 0x890b, 0x8910, 0x8912, 0x8913, 0x8914, 0x8915, 0x8916,
	0x891b, 0x891c, 0x8927, 0x8933, 0x8936, 0x8942, 0x8943, 0x8946, 0x8953, 0x89a0, 0x89a2, 0x89f0,
	0x400454ca, 0x400454cb, 0x400454cd, 0x800454d2, /* sockets, interfaces, tun */
	0x80086601, 0x40086602, 0xc020660b, 0x80106f00, 0xb701, 0xb702, 0xb703, 0xb704, /* files, ns */
};

static uint32_t fd(void)
{
	if (one_in(20)) return PICK(numbers);
	return below(one_in(4) ? 64 : 28);
}

static uint32_t slot(void) { return below(ARENA - 1024) & ~(one_in(4) ? 0u : 7u); }
static uint32_t at(uint32_t offset) { return (uint32_t)(uintptr_t)&arena.bytes[offset]; }

static uint32_t pointer(void)
{
	uint32_t area = n_areas ? areas[below(n_areas)] : 0;

	switch (below(12)) {
	case 0: return PICK(wild);
	case 1: return area + 4096 - below(64);	/* across the edge of a page */
	case 2: return area;
	case 3: return (uint32_t)(uintptr_t)&area - below(256);
	case 4: return at(ARENA) - below(64);
	case 5: return 0;
	default: return at(slot());
	}
}

static uint32_t length(void)
{
	return one_in(4) ? PICK(numbers) : one_in(3) ? below(ARENA) : below(256);
}

static uint32_t flags(void)
{
	uint32_t value = 0;

	if (one_in(4)) return 0;
	if (one_in(8)) return rnd();
	for (unsigned n = below(4); n--; ) value |= 1u << below(32);
	return value;
}

/* A word that may be anything a structure has in it. */
static uint32_t word(void)
{
	switch (below(8)) {
	case 0: case 1: return 0;
	case 2: return below(64);
	case 3: return PICK(numbers);
	case 4: return at(slot());
	case 5: return flags();
	case 6: return rnd();
	default: return fd();
	}
}

static uint32_t path(void)
{
	uint32_t s = slot();

	if (one_in(12)) return pointer();
	strcpy((char *)&arena.bytes[s], PICK(paths));
	return at(s);
}

static uint32_t timespec(void)
{
	uint32_t s = slot() & ~7u;

	if (one_in(8)) return pointer();
	arena.words[s / 4] = one_in(16) ? rnd() : 0;
	arena.words[s / 4 + 1] = one_in(32) ? rnd() : 0;
	arena.words[s / 4 + 2] = one_in(8) ? rnd() : below(3000000);
	arena.words[s / 4 + 3] = 0;
	return at(s);
}

static uint32_t vectors(void)
{
	uint32_t s = slot() & ~3u;

	for (unsigned i = 0; i < 8; i++) {
		arena.words[s / 4 + 2 * i] = one_in(6) ? pointer() : at(slot());
		arena.words[s / 4 + 2 * i + 1] = one_in(6) ? PICK(numbers) : below(512);
	}
	return one_in(12) ? pointer() : at(s);
}

static uint32_t address(void)
{
	static const uint16_t families[] = { 0, 1, 2, 10, 16, 17 };
	uint32_t s = slot() & ~3u;
	uint16_t *a = (uint16_t *)&arena.bytes[s];

	a[0] = one_in(16) ? (uint16_t)rnd() : PICK(families);
	a[1] = a[0] == AF_UNIX ? 0x6100 : htons(1000 + below(8));
	memset(a + 2, 0, 24);
	if (a[0] == AF_INET) arena.words[s / 4 + 1] = htonl(0x7f000001);
	if (a[0] == AF_INET6) arena.bytes[s + 23] = 1;
	return one_in(12) ? pointer() : at(s);
}

/* A message of netlink or of anything else. */
static uint32_t message(void)
{
	uint32_t s = slot() & ~3u;
	struct nlmsghdr *h = (void *)&arena.bytes[s];

	h->nlmsg_len = one_in(6) ? PICK(numbers) : 16 + below(64);
	h->nlmsg_type = one_in(4) ? rnd() : RTM_BASE + below(100);
	h->nlmsg_flags = one_in(4) ? rnd() : NLM_F_REQUEST | (rnd() & 0x305);
	for (unsigned i = 4; i < 20; i++)
		arena.words[s / 4 + i] = one_in(2) ? 0x00010000 * below(32) + 4 * below(6) : word();
	return at(s);
}

static uint32_t header(void)
{
	uint32_t s = slot() & ~3u, *w = &arena.words[s / 4];

	w[0] = one_in(2) ? 0 : address();
	w[1] = w[0] ? 16 : 0;
	w[2] = vectors();
	w[3] = one_in(8) ? PICK(numbers) : below(8);
	w[4] = one_in(2) ? 0 : pointer();
	w[5] = one_in(4) ? PICK(numbers) : below(64);
	w[6] = 0;
	return one_in(12) ? pointer() : at(s);
}

/* struct sock_fprog */
static uint32_t filter(void)
{
	uint32_t s = slot() & ~7u, code = slot() & ~7u;
	unsigned n = 1 + below(8);
	struct sock_filter *f = (void *)&arena.bytes[code];
	static const uint16_t ops[] = { 0x20, 0x15, 0x06, 0x00, 0x01, 0x04, 0x54, 0x35, 0x05, 0x87, 0x61, 0x02 };

	for (unsigned i = 0; i < n; i++)
		f[i] = (struct sock_filter){ PICK(ops), below(4), below(4), one_in(2) ? word() : 4 * below(16) };
	f[n - 1] = (struct sock_filter){ 0x06, 0, 0, one_in(2) ? 0x7fff0000 : 0x00050000 + below(200) };
	arena.words[s / 4] = one_in(10) ? PICK(numbers) : n;
	arena.words[s / 4 + 1] = at(code);
	return at(s);
}

static uint32_t anything(void)
{
	switch (below(8)) {
	case 0: return timespec();
	case 1: return vectors();
	case 2: return message();
	case 3: return path();
	default: {
		uint32_t s = slot() & ~3u;

		for (unsigned i = 0; i < 16; i++) arena.words[s / 4 + i] = word();
		return one_in(6) ? pointer() : at(s);
	}
	}
}

/* Descriptors 3 to about 27, one of each kind. */
static void open_everything(void)
{
	int pair[2], ptm;
	struct sockaddr_in in = { AF_INET, htons(1000), { htonl(0x7f000001) }, { 0 } };
	sigset_t set;

	sigfillset(&set);
	pipe2(pair, O_NONBLOCK);
	pipe(pair);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	bind(tcp, (void *)&in, sizeof in);
	listen(tcp, 5);
	socket(AF_INET, SOCK_DGRAM, 0);
	socket(AF_INET6, SOCK_STREAM, 0);
	socket(AF_NETLINK, SOCK_RAW, one_in(2) ? NETLINK_ROUTE : below(22));
	socket(AF_PACKET, SOCK_RAW, htons(3));
	socket(AF_INET, SOCK_RAW, below(256));
	open("/tmp/a", O_RDWR | O_CREAT, 0666);
	open("/tmp", O_RDONLY | O_DIRECTORY);
	open("/proc/self/maps", O_RDONLY);
	open("/dev/zero", O_RDWR);
	ptm = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	ioctl(ptm, 0x40045431, &(int){ 0 });
	ioctl(ptm, 0x5441, O_RDWR | O_NOCTTY);
	epoll_create1(0);
	eventfd(0, EFD_NONBLOCK);
	timerfd_create(CLOCK_MONOTONIC, 0);
	signalfd(-1, &set, SFD_NONBLOCK);
	inotify_init1(IN_NONBLOCK);
	memfd_create("fuzz", MFD_ALLOW_SEALING);
	syscall(SYS_pidfd_open, getpid(), 0);
	open("/dev/loop0", O_RDWR);
	open("/dev/net/tun", O_RDWR);
}

/* Mappings with holes and edges. */
static void map_everything(void)
{
	static const int prots[] = { 0, 1, 3, 3, 3, 7 };

	for (unsigned i = 0; i < 8; i++) {
		uint32_t *p = mmap(0, 4096 * (1 + below(8)), PICK(prots), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p != MAP_FAILED) areas[n_areas++] = (uint32_t)(uintptr_t)p;
	}
}

#endif
