/* CPU time is told the same by every clock, belongs to who used it, and is
 * user or system time as it was spent. */
#include "test.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static double seconds(clockid_t clock)
{
	struct timespec ts;
	OK(clock_gettime(clock, &ts));
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static double tv(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

static double process(void) { return seconds(CLOCK_PROCESS_CPUTIME_ID); }

/* Computes for so long. */
static void user(double s)
{
	double end = process() + s;
	while (process() < end)
		for (volatile int i = 0; i < 100000; i++) ;
}

/* Long stretches in the kernel. */
static void kernel(double s)
{
	static char block[1 << 20];
	int fd = OK(open("/dev/zero", O_RDONLY));
	double end = process() + s;

	while (process() < end)
		for (int i = 0; i < 20; i++) OK(read(fd, block, sizeof block));
	OK(close(fd));
}

/* utime and stime of /proc/self/stat, in seconds. */
static void stat_times(double *u, double *s)
{
	char text[512];
	unsigned long ut, st;
	int fd = OK(open("/proc/self/stat", O_RDONLY));
	int n = OK(read(fd, text, sizeof text - 1));

	OK(close(fd));
	text[n] = 0;
	CHECK(sscanf(strrchr(text, ')') + 2,
		"%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ut, &st) == 2);
	*u = (double)ut / sysconf(_SC_CLK_TCK);
	*s = (double)st / sysconf(_SC_CLK_TCK);
}

/* Two clocks cannot be read at once, and the host may take its CPU away between
 * them: `told` lies between what was true before and after, give or take. */
static int between(double before, double told, double after, double by)
{
	return told > before - by && told < after + by;
}

static int near(double a, double b, double by) { return a > b - by && a < b + by; }

static void *thread(void *arg)
{
	struct rusage ru;
	double begin = process(), own, used;

	user(0.1);
	used = process() - begin;
	own = seconds(CLOCK_THREAD_CPUTIME_ID);
	CHECK(between(used, own, process() - begin, 0.02));
	OK(getrusage(RUSAGE_THREAD, &ru));
	CHECK(between(own, tv(ru.ru_utime) + tv(ru.ru_stime), seconds(CLOCK_THREAD_CPUTIME_ID), 0.01));
	return arg;
}

int main(void)
{
	struct rusage ru, kids;
	struct tms tms;
	double u, s;
	pthread_t t;
	int status;

	/* A second of computing is a second of user time, but for the ticks that
	 * happen to fall into the clock's own calls. A host that takes the CPU away
	 * leaves few ticks to tell by: then it takes more than a second. */
	double was, told;
	int tries = 0;
	do {
		user(1);
		was = process();
		OK(getrusage(RUSAGE_SELF, &ru));
		told = tv(ru.ru_utime) + tv(ru.ru_stime);
	} while (tv(ru.ru_stime) >= 0.07 * told && ++tries < 8);
	CHECK(tv(ru.ru_utime) > 0.9 * told && tv(ru.ru_stime) < 0.1 * told);
	CHECK(between(was, told, process(), 0.02));
	was = tv(ru.ru_utime);
	stat_times(&u, &s);
	CHECK(times(&tms) != (clock_t)-1);
	OK(getrusage(RUSAGE_SELF, &ru));
	CHECK(between(was, u, tv(ru.ru_utime), 0.03) && s < 0.1 * u);
	CHECK(between(u, tms.tms_utime / (double)sysconf(_SC_CLK_TCK), tv(ru.ru_utime), 0.03));
	was = process();
	told = clock() / (double)CLOCKS_PER_SEC;
	CHECK(between(was, told, process(), 0.01));

	/* and one of reading is system time: this process's alone */
	pid_t pid = OK(fork());
	if (!pid) {
		CHECK(process() < 0.5);
		kernel(1);
		OK(getrusage(RUSAGE_SELF, &ru));
		CHECK(tv(ru.ru_stime) > 0.9 && tv(ru.ru_utime) < 0.1 * tv(ru.ru_stime));
		_exit(0);
	}
	double before = process();
	CHECK(wait4(pid, &status, 0, &kids) == pid && exited(status, 0));
	CHECK(process() - before < 0.5);
	CHECK(tv(kids.ru_stime) > 0.9 && tv(kids.ru_utime) < 0.1 * tv(kids.ru_stime));
	OK(getrusage(RUSAGE_CHILDREN, &ru));
	CHECK(near(tv(ru.ru_stime), tv(kids.ru_stime), 0.01));
	times(&tms);
	CHECK(tms.tms_cstime >= 0.9 * sysconf(_SC_CLK_TCK));

	/* a thread's time is its own and the process's */
	before = process();
	CHECK(!pthread_create(&t, 0, thread, 0) && !pthread_join(t, 0));
	CHECK(process() - before > 0.09 && seconds(CLOCK_THREAD_CPUTIME_ID) < process() - 0.05);
	clockid_t id;
	CHECK(!clock_getcpuclockid(getpid(), &id));
	was = process();
	told = seconds(id);
	CHECK(between(was, told, process(), 0.01));

	/* sleeping costs nothing, and is a voluntary switch */
	long switches = (OK(getrusage(RUSAGE_SELF, &ru)), ru.ru_nvcsw);
	before = process();
	OK(nanosleep(&(struct timespec){ 0, 100000000 }, 0));
	CHECK(process() - before < 0.05);
	OK(getrusage(RUSAGE_SELF, &ru));
	CHECK(ru.ru_nvcsw > switches);
	return 0;
}
