/* A loop that is made of longjmp alone answers signals like any other. */
#include "test.h"
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

static jmp_buf here;
static sigjmp_buf out;

static void leave(int sig) { (void)sig; siglongjmp(out, 1); }

__attribute__((noreturn)) static void loop(void)
{
	setjmp(here);
	longjmp(here, 1);
}

int main(void)
{
	int status;
	pid_t pid = OK(fork());

	if (!pid) loop();
	/* it runs, and this process, too */
	OK(usleep(20000));
	OK(kill(pid, SIGKILL));
	CHECK(OK(waitpid(pid, &status, 0)) == pid && killed(status, SIGKILL));

	CHECK(signal(SIGALRM, leave) != SIG_ERR);
	if (!sigsetjmp(out, 1)) {
		ualarm(20000, 0);
		loop();
	}
	return 0;
}
