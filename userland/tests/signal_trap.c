/* Traps as signals: number and si_code of each, in a handler on an alternate
 * stack that makes calls, forks and ends the process. A handler that returns is
 * called again. What needs more than that is in signal_fault and signal_overflow. */
#include "traps.h"

static char stack[65536] __attribute__((aligned(16)));
static int sig_wanted, code_wanted;
static volatile int calls;

static void far_away(void) { OPAQUE(*(volatile char *)OPAQUE((char *)0xfffffff8)); }
static int deeper(int n) { return n == OPAQUE(-1) ? 0 : deeper(n + 1) + OPAQUE(1); }
static void deep(void) { OPAQUE(deeper(0)); }
static int call_deeper(int n) { return getppid() == OPAQUE(-1) ? 0 : call_deeper(n + 1) + OPAQUE(1); }
/* Frames in memory: what lies below the stack must not change. */
static char below[1 << 20];
static int deep_frames(volatile char *above)
{
	volatile char frame[4096];
	frame[0] = above ? above[0] : 1;
	return deep_frames(frame) + frame[0];
}
static void deep_in_memory(void) { OPAQUE(deep_frames(0)); }
static void deep_with_calls(void) { OPAQUE(call_deeper(0)); }

static void handler(int sig, siginfo_t *si, void *ctx)
{
	volatile char local;
	int status;

	CHECK(&local >= stack && &local < stack + sizeof stack && (char *)ctx < stack + sizeof stack);
	if (sig != sig_wanted || si->si_code != code_wanted) {
		dprintf(2, "signal %d code %d, not %d and %d\n", sig, si->si_code, sig_wanted, code_wanted);
		_exit(1);
	}
	for (size_t i = 0; i < sizeof below; i += 64) CHECK(!((volatile char *)below)[i]);
	if (++calls < 3) return;
	pid_t pid = OK(fork());
	if (!pid) _exit(9);
	CHECK(waitpid(pid, &status, 0) == pid && exited(status, 9));
	/* a handler within it, and what it interrupts goes on */
	raise(SIGUSR1);
	_exit(calls == 13 ? 42 : 2);
}

static void inner(int sig)
{
	(void)sig;
	CHECK(getpid() > 1);
	calls += 10;
}

static void check(void (*f)(void), int sig, int code)
{
	int status;
	pid_t pid = OK(fork());

	if (!pid) {
		struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
		stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };

		sig_wanted = sig;
		code_wanted = code;
		handle(SIGUSR1, inner, 0);
		OK(sigaltstack(&ss, 0));
		OK(sigaction(sig, &sa, 0));
		f();
		_exit(3);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(exited(status, 42));
	/* without a handler it is the end, and so it is when the signal is blocked */
	CHECK(killed(in_child(f), sig));
	if (!(pid = OK(fork()))) {
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, sig);
		OK(sigprocmask(SIG_BLOCK, &set, 0));
		handle(sig, inner, 0);
		f();
		_exit(3);
	}
	CHECK(waitpid(pid, &status, 0) == pid && killed(status, sig));
}

int main(void)
{
	check(divide, SIGFPE, FPE_INTDIV);
	check(modulo, SIGFPE, FPE_INTDIV);
	check(quotient, SIGFPE, FPE_INTOVF);
	check(trap, SIGILL, ILL_ILLOPC);
	check(far_away, SIGSEGV, SEGV_MAPERR);
	check(deep, SIGSEGV, SEGV_MAPERR);
	check(deep_in_memory, SIGSEGV, SEGV_MAPERR);
	check(deep_with_calls, SIGSEGV, SEGV_MAPERR);
	return 0;
}
