/* The variants of setjmp: which keep the signal mask, from handlers too; what
 * the arguments are evaluated for; longjmp as a function. */
#include "test.h"
#include <setjmp.h>

static sigjmp_buf env;
static jmp_buf plain;

static int blocked(int sig)
{
	sigset_t now;

	OK(sigprocmask(SIG_SETMASK, 0, &now));
	return sigismember(&now, sig);
}

static void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	OK(sigprocmask(how, &set, 0));
}

static void masks(int save)
{
	volatile int turns = 0;

	if (sigsetjmp(env, save) == 0) {
		block(SIG_BLOCK, SIGUSR2);
		turns = turns + 1;
		siglongjmp(env, 3);
	}
	CHECK(turns == 1);
	CHECK(blocked(SIGUSR2) == !save);
	block(SIG_UNBLOCK, SIGUSR2);
}

/* setjmp and _setjmp leave the mask alone, longjmp and _longjmp too. */
static void without(void)
{
	if (setjmp(plain) == 0) {
		block(SIG_BLOCK, SIGUSR2);
		longjmp(plain, 1);
	}
	CHECK(blocked(SIGUSR2));
	block(SIG_UNBLOCK, SIGUSR2);
	volatile int seen = 0;
	int value = _setjmp(plain);
	if (!seen) {
		seen = 1;
		_longjmp(plain, 0);
	}
	CHECK(value == 1);
}

static void jump_back(int sig)
{
	CHECK(blocked(sig));
	siglongjmp(env, sig);
}

static void jump_plain(int sig)
{
	CHECK(blocked(sig));
	longjmp(plain, sig);
}

/* While a handler runs its signal is blocked; only a buffer with the mask
 * undoes that. */
static void handlers(void)
{
	handle(SIGUSR1, jump_back, 0);
	for (volatile int i = 0; i < 100; i++) {
		int value = sigsetjmp(env, 1);
		if (!value) {
			raise(SIGUSR1);
			CHECK(!"came back");
		}
		CHECK(value == SIGUSR1 && !blocked(SIGUSR1));
	}
	handle(SIGUSR1, jump_plain, 0);
	int value = setjmp(plain);
	if (!value) {
		raise(SIGUSR1);
		CHECK(!"came back");
	}
	CHECK(value == SIGUSR1 && blocked(SIGUSR1));
	block(SIG_UNBLOCK, SIGUSR1);
}

int main(void)
{
	masks(1);
	masks(0);
	without();
	handlers();

	/* Each argument is evaluated once, though it is a macro. */
	static sigjmp_buf bufs[2];
	sigjmp_buf *p = bufs;
	int saves = 0;
	CHECK(sigsetjmp(*p++, saves++) == 0 && p == bufs + 1 && saves == 1);

	/* longjmp is a function like another. */
	void (*volatile jump)(jmp_buf, int) = longjmp;
	int value = setjmp(plain);
	if (!value) jump(plain, 7);
	CHECK(value == 7);
	return 0;
}
