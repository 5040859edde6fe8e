/* clone: with a function and a stack of its own; what is shared and what is
 * not, as each flag says; whose child it is, and what tells of its end. */
#include "test.h"
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

static char stack[65536] __attribute__((aligned(16)));
static volatile int n;
static int fd;
static pid_t parent_tid, child_tid;

static pid_t make(int (*f)(void *), int flags)
{
	return clone(f, stack + sizeof stack, flags, (void *)&n, &parent_tid, 0, &child_tid);
}

/* Its exit code, which is what f returned. */
static int run(int (*f)(void *), int flags)
{
	int status;
	pid_t pid = OK(make(f, flags | SIGCHLD));

	CHECK(pid != getpid() && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int counts(void *arg)
{
	char here;
	CHECK(&here > stack && &here < stack + sizeof stack);
	return ++*(volatile int *)arg;
}

/* The parent goes on meanwhile: it is asked to, by shared memory. */
static int asks(void *arg)
{
	(void)arg;
	n = 1;
	while (n != 2) sched_yield();
	return 3;
}

static int closes(void *arg) { (void)arg; return close(fd); }
static int moves(void *arg) { (void)arg; return chdir("/proc"); }
static int ignores(void *arg) { (void)arg; return signal(SIGUSR2, SIG_IGN) == SIG_ERR; }
static int its_parent(void *arg) { (void)arg; return getppid() == n ? 8 : 9; }
static int its_tid(void *arg) { (void)arg; return child_tid == gettid() ? 4 : 5; }

static int shares(int (*f)(void *), int flags, int (*seen)(void))
{
	CHECK(run(f, 0) == 0 && !seen());
	CHECK(run(f, flags) == 0);
	return seen();
}

static int closed(void) { return fcntl(fd, F_GETFD) < 0; }
static int moved(void) { char dir[64]; return !strcmp(getcwd(dir, sizeof dir), "/proc"); }
static int ignored(void) { return signal(SIGUSR2, SIG_DFL) == SIG_IGN; }

static volatile sig_atomic_t told;
static void tell(int sig) { told = sig; }

/* One that ends with another signal, or none, is waited for by those who ask. */
static void other_signals(void)
{
	int status;
	pid_t pid;

	handle(SIGUSR1, tell, SA_RESTART);
	n = 0;
	pid = OK(make(counts, SIGUSR1));
	FAILS(waitpid(pid, &status, 0), ECHILD);
	CHECK(waitpid(pid, &status, __WCLONE) == pid && exited(status, 1));
	CHECK(told == SIGUSR1);
	told = 0;
	pid = OK(make(counts, 0));
	CHECK(waitpid(pid, &status, __WALL) == pid && exited(status, 1));
	CHECK(!told);
}

/* Dead before its first instruction: there are no frames to tell of. The runner
 * looked for some and died (the syscall fuzzer found it). */
static void never_runs(void)
{
	struct sched_param first = { .sched_priority = 1 };
	int status;
	pid_t pid;

	/* the child does not get the CPU meanwhile */
	OK(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first));
	n = 0;
	pid = OK(make(counts, CLONE_VM | SIGCHLD));
	OK(kill(pid, SIGABRT));
	CHECK(waitpid(pid, &status, 0) == pid && killed(status, SIGABRT) && n == 0);
}

/* The caller's sibling. */
static void sibling(void)
{
	int status;

	n = getppid();
	OK(make(its_parent, CLONE_PARENT | SIGCHLD));
	FAILS(wait(&status), ECHILD);
}

static void by_clone3(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND };
	int status;
	pid_t pid;

	handle(SIGUSR2, tell, 0);
	pid = OK(syscall(SYS_clone3, &args, sizeof args));
	if (!pid) _exit(signal(SIGUSR2, SIG_DFL) == SIG_DFL ? 6 : 7);
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 6));
	CHECK(signal(SIGUSR2, SIG_DFL) == tell);
	args.flags = CLONE_SIGHAND;
	FAILS(syscall(SYS_clone3, &args, sizeof args), EINVAL);
	FAILS(syscall(SYS_clone3, &args, 8), EINVAL);
	FAILS(syscall(SYS_clone3, 4, sizeof args), EFAULT);
}

int main(void)
{
	int status;

	CHECK(run(counts, 0) == 1 && n == 0);
	CHECK(run(counts, CLONE_VM) == 1 && n == 1);
	CHECK(run(counts, CLONE_VM | CLONE_VFORK) == 2 && n == 2);

	pid_t pid = OK(make(asks, CLONE_VM | SIGCHLD));
	while (n != 1) sched_yield();
	n = 2;
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 3));

	fd = OK(open("/dev/null", O_RDONLY));
	CHECK(shares(closes, CLONE_FILES, closed));
	CHECK(shares(moves, CLONE_FS, moved));
	CHECK(shares(ignores, CLONE_VM | CLONE_SIGHAND, ignored));

	CHECK(run(its_tid, CLONE_CHILD_SETTID) == 4 && !child_tid);
	pid = OK(make(counts, CLONE_PARENT_SETTID | SIGCHLD));
	CHECK(parent_tid == pid && waitpid(pid, 0, 0) == pid);
	other_signals();

	CHECK(exited(in_child(sibling), 0));
	CHECK(wait(&status) > 0 && exited(status, 8));
	by_clone3();
	CHECK(exited(in_child(never_runs), 0));

	FAILS(make(counts, CLONE_SIGHAND | SIGCHLD), EINVAL);
	FAILS(make(counts, CLONE_THREAD | CLONE_VM), EINVAL);
	FAILS(make(counts, CLONE_NEWNS | CLONE_FS | SIGCHLD), EINVAL);
	FAILS(clone(counts, 0, SIGCHLD, 0), EINVAL);
	FAILS(wait(&status), ECHILD);
	return 0;
}
