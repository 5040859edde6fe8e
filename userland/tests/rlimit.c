/* Limits that end in a signal or an error: CPU time, file size, nice, pending
 * signals, stack, locked at what the parent allows. */
#include "test.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

static volatile int hits;
static void hit(int sig) { (void)sig; hits++; }

static void burn(void) { for (;;) ; }

static void cpu_soft(void)
{
	struct rlimit rl = { 1, 10 };
	OK(setrlimit(RLIMIT_CPU, &rl));
	burn();
}

static void cpu_hard(void)
{
	struct rlimit rl = { 1, 2 };
	handle(SIGXCPU, hit, 0);
	OK(setrlimit(RLIMIT_CPU, &rl));
	burn();
}

static void size_error(void)
{
	struct rlimit rl = { 1000, 1000 };
	char block[600] = "";

	OK(setrlimit(RLIMIT_FSIZE, &rl));
	handle(SIGXFSZ, hit, 0);
	int fd = OK(open("/tmp/rlimit-test", O_CREAT | O_WRONLY | O_TRUNC, 0600));
	CHECK(write(fd, block, 600) == 600);
	CHECK(write(fd, block, 600) == 400 && hits == 0);
	FAILS(write(fd, block, 600), EFBIG);
	CHECK(hits == 1);
	FAILS(ftruncate(fd, 2000), EFBIG);
	CHECK(hits == 2);
	/* a pipe has no size */
	int p[2];
	OK(pipe(p));
	for (int i = 0; i < 3; i++) CHECK(write(p[1], block, 600) == 600);
}

static void size_signal(void)
{
	struct rlimit rl = { 0, 0 };
	OK(setrlimit(RLIMIT_FSIZE, &rl));
	int fd = OK(open("/tmp/rlimit-test", O_WRONLY, 0600));
	write(fd, "x", 1);
}

static void pending(void)
{
	struct rlimit rl = { 8, 8 };
	sigset_t set;
	int n = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &set, 0));
	OK(setrlimit(RLIMIT_SIGPENDING, &rl));
	while (!sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = n })) n++;
	CHECK(errno == EAGAIN && n == 8);
}

static void unprivileged(void)
{
	struct rlimit rl;

	OK(setrlimit(RLIMIT_NICE, &(struct rlimit){ 20, 20 }));
	OK(setuid(1234));
	OK(getrlimit(RLIMIT_NOFILE, &rl));
	rl.rlim_max++;
	FAILS(setrlimit(RLIMIT_NOFILE, &rl), EPERM);
	FAILS(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 9, 8 }), EINVAL);
	OK(setpriority(PRIO_PROCESS, 0, 5));
	OK(setpriority(PRIO_PROCESS, 0, 0));
	FAILS(setpriority(PRIO_PROCESS, 0, -5), EACCES);
	FAILS(nice(-5), EPERM);
}

static double used(pid_t pid)
{
	clockid_t clock;
	struct timespec ts;
	CHECK(!clock_getcpuclockid(pid, &clock));
	OK(clock_gettime(clock, &ts));
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Weights of nice 0 and nice 10 are 1024 and 110. */
static void nice_shares(void)
{
	pid_t pid[2];
	double cpu[2];

	for (int i = 0; i < 2; i++)
		if (!(pid[i] = OK(fork()))) {
			if (i) CHECK(nice(10) == 10);
			burn();
		}
	CHECK(nice(-1) == -1);
	struct timespec ts = { 0, 50000000 };
	do {
		OK(nanosleep(&ts, 0));
		cpu[0] = used(pid[0]), cpu[1] = used(pid[1]);
	} while (cpu[0] + cpu[1] < 0.7);
	CHECK(getpriority(PRIO_PROCESS, pid[1]) == 10);
	for (int i = 0; i < 2; i++) OK(kill(pid[i], SIGKILL));
	CHECK(cpu[0] > 5 * cpu[1] && cpu[1] > 0);
}

int main(void)
{
	struct rlimit rl;

	CHECK(killed(in_child(cpu_soft), SIGXCPU));
	CHECK(killed(in_child(cpu_hard), SIGKILL));
	CHECK(exited(in_child(size_error), 0));
	CHECK(killed(in_child(size_signal), SIGXFSZ));
	OK(unlink("/tmp/rlimit-test"));
	CHECK(exited(in_child(pending), 0));
	CHECK(exited(in_child(unprivileged), 0));
	CHECK(exited(in_child(nice_shares), 0));
	/* none of it was the parent's */
	OK(getrlimit(RLIMIT_CPU, &rl));
	CHECK(rl.rlim_cur == RLIM_INFINITY);
	OK(prlimit(getpid(), RLIMIT_CORE, &(struct rlimit){ 3, 7 }, 0));
	OK(getrlimit(RLIMIT_CORE, &rl));
	CHECK(rl.rlim_cur == 3 && rl.rlim_max == 7);
	return 0;
}
