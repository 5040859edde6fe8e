/* fork from a signal handler: one that interrupted a loop, a system call, a
 * fault, another handler, on an alternate stack, and in a second thread. */
#include "test.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/time.h>

static volatile int forked, children, done;
static volatile pid_t parent;
static char *page;
static char stack[65536] __attribute__((aligned(16)));

/* Both sides return through the handler to what it interrupted. */
static void forks(int sig)
{
	(void)sig;
	pid_t pid = OK(fork());
	forked = 1;
	if (pid) children++;
	else children = 0;
}

/* The child says with its exit code what it has seen. */
static void both(int code)
{
	int status;

	if (getpid() != parent) _exit(children == 0 ? code : 1);
	while (children) {
		OK(wait(&status));
		CHECK(exited(status, code));
		children--;
	}
	forked = 0;
}

static void arm(int usec)
{
	struct itimerval it = { .it_value.tv_usec = usec };
	OK(setitimer(ITIMER_REAL, &it, 0));
}

static unsigned busy(unsigned depth)
{
	volatile unsigned n = depth, inner = 0;

	if (depth) {
		inner = busy(depth - 1);
		CHECK(n == depth);
		return inner + 1;
	}
	while (!forked) n++;
	return 0;
}

static void mend(int sig)
{
	(void)sig;
	pid_t pid = OK(fork());
	OK(mprotect(page, 4096, PROT_READ | PROT_WRITE));
	if (pid) children++;
	else children = 0;
}

static void nests(int sig)
{
	(void)sig;
	handle(SIGUSR1, forks, 0);
	raise(SIGUSR1);
}

static void *other(void *arg)
{
	(void)arg;
	while (!forked) ;
	/* the child has this thread alone; the parent has both */
	if (getpid() != parent) _exit(getpid() == gettid() ? 14 : 1);
	done = 1;
	return 0;
}

int main(void)
{
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
	pthread_t t;
	char c;
	int fd[2];

	parent = getpid();
	for (volatile int i = 0; i < 20; i++) {
		handle(SIGALRM, forks, i & 1 ? SA_ONSTACK : 0);
		OK(sigaltstack(&ss, 0));
		arm(2000);
		CHECK(busy(20) == 20);
		both(10);
	}

	handle(SIGALRM, forks, 0);
	OK(pipe(fd));
	arm(2000);
	FAILS(read(fd[0], &c, 1), EINTR);
	both(11);

	/* the faulting store is made again on both sides */
	page = OK(mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	handle(SIGSEGV, mend, 0);
	*page = 5;
	CHECK(*page == 5);
	both(12);

	handle(SIGUSR2, nests, 0);
	raise(SIGUSR2);
	both(13);

	CHECK(!pthread_create(&t, 0, other, 0));
	CHECK(!pthread_kill(t, SIGUSR1));
	while (!done) ;
	CHECK(!pthread_join(t, 0));
	both(14);

	/* a vfork in a handler suspends the parent like any other */
	sigjmp_buf env;
	if (!sigsetjmp(env, 1)) {
		pid_t pid = OK(fork());
		/* the child jumps to a place from before the fork */
		if (!pid) siglongjmp(env, 1);
		int status;
		OK(waitpid(pid, &status, 0));
		CHECK(exited(status, 15));
	} else {
		_exit(15);
	}
	return 0;
}
