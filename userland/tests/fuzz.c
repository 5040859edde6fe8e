/* Random system calls with random arguments: whatever a program asks, it gets
 * an answer, a signal or its end, and the machine goes on.
 *
 *   fuzz [SEED [ROUNDS [-v]]]
 *
 * A round is the init of namespaces of its own, whose children make CALLS calls
 * each, all at the same time; its seed decides everything they ask for. What
 * sleeps is woken by a timer, and what cannot be woken is killed when the round's
 * time is over. After each round the machine must still fork, exec and answer. Without
 * arguments: the few rounds of the test. */
#include "fuzz_args.h"
#include <asm/unistd_32.h>
#include "fuzz_calls.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#define WORKERS 64
#define AT_ONCE 16
#define CALLS 60
#define ROUND_MS 1000
#define END_MS 20000
#define SILENCE_MS 40000
/* Between two ticks of a timer that interrupts what sleeps. */
#define TICK_US 1000
#define PATIENCE 8	/* ticks */
#define SEED 1
#define ROUNDS 12

static int verbose;
/* A copy: rounds may find a way to the machine's own. */
static int busybox;

__attribute__((__import_module__("linux"), __import_name__("syscall")))
long raw_syscall(long, long long, long long, long long, long long, long long, long long);

static long long argument(char kind)
{
	switch (kind) {
	case 'f': return (int)fd();
	case 'd': return one_in(2) ? AT_FDCWD : (int)fd();
	case 's': return path();
	case 'b': return pointer();
	case 'l': return length();
	case 't': return timespec();
	case 'v': return vectors();
	case 'h': return header();
	case 'a': return address();
	case 'q': return filter();
	case 'n': return message();
	case 'i': return one_in(6) ? (int)PICK(numbers) : (int)below(40);
	case 'x': return (int)flags();
	case 'S': return below(66);
	case 'P': return one_in(3) ? getpid() : one_in(8) ? (int)PICK(numbers) : (int)below(8);
	case 'u': return one_in(2) ? 0 : one_in(2) ? 1000 : (int)rnd();
	case 'o': return one_in(3) ? (long long)rnd() << 32 | rnd() : below(100000);
	case 'm': return one_in(4) ? pointer() : n_areas ? areas[below(n_areas)] & ~0xfffu : 0;
	case 'c': return PICK(ioctls);
	case 'z': return 0;
	default: return anything();
	}
}

static void nothing(int sig) { (void)sig; }

/* What waits is interrupted. A child has no timer of its parent's, and the calls
 * themselves mask signals, stop timers and take handlers away. */
static void tick(void)
{
	const struct itimerval often = { { 0, TICK_US }, { 0, TICK_US } };
	const struct sigaction wake = { .sa_handler = nothing };
	sigset_t alarm;

	sigaction(SIGALRM, &wake, 0);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm, 0);
	setitimer(ITIMER_REAL, &often, 0);
}

static void one_call(void)
{
	struct call random = { (int)below(470), "pppppp" };
	const struct call *c = one_in(24) ? &random : &PICK(calls);
	long long a[6] = { 0 };

	/* Power is not the fuzzer's to switch off, and a round is to last. */
	if (c->nr == SYS_reboot || c->nr == SYS_exit_group || c->nr == SYS_kexec_load)
		return;
	for (unsigned i = 0; c->args[i]; i++)
		a[i] = one_in(40) ? (long long)rnd() << 32 | rnd() : argument(c->args[i]);
	/* Even by mistake: a clone that shares memory without a stack is fine. */
	if (verbose)
		dprintf(2, "%d %d(%#llx, %#llx, %#llx, %#llx, %#llx, %#llx)\n", getpid(), c->nr, a[0],
			a[1], a[2], a[3], a[4], a[5]);
	pid_t self = getpid();
	long ret = raw_syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (c->nr == SYS_mmap2 && (unsigned long)ret < -4096ul && n_areas < 16)
		areas[n_areas++] = ret;
	/* A child makes some calls of its own. */
	if (getpid() != self) {
		tick();
		for (unsigned n = below(10); n--; ) one_call();
		_exit(below(3));
	}
}

static void worker(uint64_t seed)
{
	state = seed;
	if (one_in(4)) setuid(1000);
	for (unsigned n = 0; n < CALLS; n++) {
		if (n % 4 == 0) tick();
		one_call();
	}
	_exit(0);
}

/* Of workers and of what they have left to init. Those that are stopped or cannot
 * be woken are killed when nothing has ended for some ticks. */
static void end_of_children(void)
{
	for (unsigned ticks = 0; ; ) {
		if (waitpid(-1, 0, 0) > 0) ticks = 0;
		else if (errno != EINTR) return;
		else if (++ticks == PATIENCE) kill(-1, SIGKILL);
	}
}

static void round_of(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15ull + 1;
	for (unsigned i = 0; i < ARENA / 4; i++) arena.words[i] = word();
	/* A signal to its process group is not for us, nor are the machine's files. */
	setsid();
	mount(0, "/", 0, MS_REC | MS_PRIVATE, 0);
	mount(0, "/", 0, MS_REMOUNT | MS_BIND | MS_RDONLY, 0);
	mount("fuzz", "/tmp", "tmpfs", 0, "size=2m,nr_inodes=500");
	mkdir("/tmp/dir", 0777);
	if (one_in(2)) mount("proc", "/proc", "proc", 0, 0);
	else umount2("/proc", MNT_DETACH);
	open_everything();
	map_everything();
	tick();
	for (unsigned i = 0; i < WORKERS; i++) {
		if (!fork()) worker(seed * 0x9e3779b97f4a7c15ull + i + 2);
		if (i % AT_ONCE == AT_ONCE - 1) end_of_children();
	}
	_exit(0);
}

/* Memory, processes and CPU of a round are bounded. */
static void enter_group(void)
{
	static const char *const limits[][2] = {
		{ "memory.max", "24M" }, { "pids.max", "96" },
	};
	char path[64];

	mkdir("/sys/fs/cgroup/fuzz", 0755);
	for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
		snprintf(path, sizeof path, "/sys/fs/cgroup/fuzz/%s", limits[i][0]);
		int fd = open(path, O_WRONLY);
		CHECK(fd >= 0 && write(fd, limits[i][1], strlen(limits[i][1])) > 0);
		close(fd);
	}
	int fd = OK(open("/sys/fs/cgroup/fuzz/cgroup.procs", O_WRONLY));
	OK(write(fd, "0", 1));
	close(fd);
}

static void controllers(void)
{
	static const char on[] = "+memory +pids";

	mkdir("/sys/fs/cgroup", 0755);
	if (access("/sys/fs/cgroup/cgroup.procs", F_OK))
		OK(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, 0));
	int fd = OK(open("/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY));
	OK(write(fd, on, strlen(on)));
	close(fd);
}

static void copy_busybox(void)
{
	struct stat all;
	int from = OK(open("/bin/busybox", O_RDONLY));

	busybox = OK(memfd_create("busybox", MFD_CLOEXEC));
	OK(fstat(from, &all));
	while (OK(sendfile(busybox, from, 0, all.st_size)) > 0) ;
	close(from);
}

/* The machine still does what machines do. */
static void check_machine(void)
{
	int status, pair[2];
	char byte = 0;

	OK(pipe(pair));
	pid_t pid = OK(fork());
	if (!pid) {
		write(pair[1], "x", 1);
		fexecve(busybox, (char *[]){ "true", 0 }, environ);
		_exit(1);
	}
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 0) && read(pair[0], &byte, 1) == 1 && byte == 'x');
	close(pair[0]);
	close(pair[1]);
}

static void run(uint64_t seed, int news)
{
	const int own = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	struct rlimit few = { 64, 64 }, small = { 4 << 20, 4 << 20 };
	int status, fd;
	pid_t pid = OK(fork());

	if (!pid) {
		close(busybox);
		close(news);
		enter_group();
		OK(unshare(own));
		pid = OK(fork());
		if (pid) {
			OK(waitpid(pid, &status, 0));
			_exit(0);
		}
		OK(setrlimit(RLIMIT_NOFILE, &few));
		OK(setrlimit(RLIMIT_FSIZE, &small));
		round_of(seed);
	}
	fd = OK(syscall(SYS_pidfd_open, pid, 0));
	struct pollfd end = { fd, POLLIN, 0 };
	poll(&end, 1, ROUND_MS);
	fd = open("/sys/fs/cgroup/fuzz/cgroup.kill", O_WRONLY);
	if (fd >= 0) {
		write(fd, "1", 1);
		close(fd);
	}
	kill(pid, SIGKILL);
	/* A task that cannot be killed: what every task is doing says why. */
	if (poll(&end, 1, END_MS) != 1) {
		int trigger = open("/proc/sysrq-trigger", O_WRONLY);

		write(trigger, "t", 1);
		test_fail(__FILE__, __LINE__, "a round does not end");
	}
	close(end.fd);
	OK(waitpid(pid, &status, 0));
}

/* A process that only waits for news of the rounds: without any it has the kernel
 * say what every task is doing. Where to send news. */
static int watchdog(void)
{
	int news[2];

	OK(pipe2(news, O_CLOEXEC));
	if (OK(fork())) {
		close(news[0]);
		return news[1];
	}
	close(news[1]);
	struct pollfd more = { news[0], POLLIN, 0 };
	int trigger = OK(open("/proc/sysrq-trigger", O_WRONLY));
	char byte;

	for (;;) {
		if (!poll(&more, 1, SILENCE_MS)) write(trigger, "t", 1);
		else if (read(news[0], &byte, 1) < 1) _exit(0);
	}
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], 0, 0) : SEED;
	unsigned rounds = argc > 2 ? strtoul(argv[2], 0, 0) : ROUNDS;

	verbose = argc > 3;
	copy_busybox();
	controllers();
	int news = watchdog();
	for (unsigned i = 0; i < rounds; i++, seed++) {
		if (argc > 1) dprintf(2, "\nround %llu\n", (unsigned long long)seed);
		run(seed, news);
		check_machine();
		OK(write(news, "", 1));
	}
	return 0;
}
