// Exceptions beside what copies or leaves stacks: fork, vfork and setjmp within
// try blocks, signals while they fly.
#include "test.h"
#include <setjmp.h>
#include <stdexcept>
#include <string>
#include <sys/time.h>

static std::string trace;

struct Mark {
	char name;
	~Mark() { trace += name; }
};

// The child throws through frames that the parent entered.
static void forks(int depth, pid_t *pid)
{
	Mark m{'m'};
	if (depth) return forks(depth - 1, pid);
	*pid = OK(fork());
	if (!*pid) throw std::runtime_error("child");
}

static void fork_in_try()
{
	pid_t pid = -1;
	int status;

	trace.clear();
	try {
		forks(5, &pid);
		CHECK(pid > 0 && trace == "mmmmmm");
	} catch (const std::runtime_error &e) {
		_exit(pid == 0 && !strcmp(e.what(), "child") && trace == "mmmmmm" ? 7 : 8);
	}
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 7));

	// In a handler: the child rethrows, the parent goes on with the same.
	try {
		try { throw std::string("both"); } catch (std::string &s) {
			pid = OK(fork());
			if (!pid) { s += " child"; throw; }
			CHECK(s == "both");
		}
	} catch (const std::string &s) {
		_exit(!pid && s == "both child" ? 7 : 8);
	}
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 7));

	try {
		pid = vfork();
		if (!pid) {
			try { throw 1; } catch (int i) { _exit(i + 2); }
		}
		throw 2;
	} catch (int i) { CHECK(i == 2); }
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 3));
}

// A jump past try blocks, whose handlers are as if they had not been.
static jmp_buf env;

__attribute__((noinline)) static void jumps(int way)
{
	try {
		if (way == 0) longjmp(env, 5);
		throw way;
	} catch (int i) {
		if (i == 1) longjmp(env, 6);
		throw;
	}
}

static void setjmp_in_try()
{
	for (volatile int way = 0; way < 3; way = way + 1) {
		try {
			int value = setjmp(env);
			if (!value) jumps(way);
			CHECK(value == 5 + way && way < 2);
		} catch (int i) { CHECK(i == 2 && way == 2); }
	}
	// A frame that has called setjmp and is left by an exception is no target
	// any more, but the outer one is.
	static jmp_buf inner;
	volatile int turns = 0;
	if (setjmp(env) == 0) {
		try {
			[] { if (setjmp(inner) == 0) throw 1; }();
		} catch (int) { turns = turns + 1; }
		longjmp(env, 1);
	}
	CHECK(turns == 1);
	int status = in_child([] {
		try {
			[] { if (setjmp(inner) == 0) throw 1; }();
		} catch (int) {}
		longjmp(inner, 1);
	});
	CHECK(WIFSIGNALED(status));
}

// Signals arrive at any safepoint; their handlers may throw and catch.
static volatile int ticks;

static void signals_meanwhile()
{
	handle(SIGALRM, [](int) {
		ticks = ticks + 1;
		auto *saved = std::current_exception() ? "" : nullptr;
		(void)saved;
	}, 0);
	itimerval t = {{0, 1000}, {0, 1000}}, off = {};
	OK(setitimer(ITIMER_REAL, &t, nullptr));
	long caught = 0;
	while (ticks < 50) {
		trace.clear();
		try { Mark m{'x'}; throw caught; } catch (long n) { CHECK(n == caught && trace == "x"); }
		caught++;
	}
	OK(setitimer(ITIMER_REAL, &off, nullptr));
	CHECK(caught > 0);

	// Out of a handler that interrupted a try block.
	static sigjmp_buf back;
	handle(SIGALRM, [](int) { siglongjmp(back, 1); }, 0);
	for (volatile int i = 0; i < 20; i = i + 1) {
		if (sigsetjmp(back, 1) == 0) {
			itimerval one = {{0, 0}, {0, 1000}};
			OK(setitimer(ITIMER_REAL, &one, nullptr));
			for (;;) {
				try { throw 1; } catch (int) {}
			}
		}
	}
}

int main()
{
	fork_in_try();
	setjmp_in_try();
	signals_meanwhile();
}
