/* A guest test is one program about one topic. It exits with 0 when all holds;
 * otherwise it prints the first thing that does not and exits with 1. */
#ifndef TEST_H
#define TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((__noreturn__)) static inline void test_fail(const char *file, int line, const char *what)
{
	dprintf(2, "%s:%d: %s (errno %d, %s)\n", file, line, what, errno, strerror(errno));
	_exit(1);
}

#define CHECK(cond) \
	do { if (!(cond)) test_fail(__FILE__, __LINE__, #cond); } while (0)

/* The call fails, for this reason. */
#define FAILS(call, reason) \
	do { errno = 0; CHECK((call) == -1 && errno == (reason)); } while (0)

/* The call succeeds; its value. */
#define OK(call) __extension__({ \
	__typeof__(call) ok__ = (call); \
	if (ok__ == (__typeof__(call))-1) test_fail(__FILE__, __LINE__, #call); \
	ok__; })

/* Runs f in a child; its wait status. */
static inline int in_child(void (*f)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		f();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		test_fail(__FILE__, __LINE__, "in_child");
	return status;
}

static inline int exited(int status, int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static inline int killed(int status, int sig)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == sig;
}

static inline void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = handler;
	sa.sa_flags = flags;
	if (sigaction(sig, &sa, 0)) test_fail(__FILE__, __LINE__, "sigaction");
}

/* The time of a clock, so many milliseconds from now. */
static inline struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec ts;
	OK(clock_gettime(clock, &ts));
	long long ns = ts.tv_nsec + ms * 1000000LL;
	ts.tv_sec += ns / 1000000000;
	ts.tv_nsec = ns % 1000000000;
	return ts;
}

/* What the optimiser may not see through. */
#define OPAQUE(value) __extension__({ \
	__typeof__(value) volatile opaque__ = (value); opaque__; })

#endif
