/* seccomp filters: a call gets an errno, another ends the process. */
#include "test.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void filter(int nr, unsigned action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof code / sizeof *code, code };

	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0));
}

static void refused(void)
{
	filter(SYS_getppid, SECCOMP_RET_ERRNO | 77);
	errno = 0;
	CHECK(syscall(SYS_getppid) == -1 && errno == 77);
	CHECK(getpid() > 0);
	_exit(0);
}

static void deadly(void)
{
	filter(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
	getppid();
}

static void strict(void)
{
	OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0));
	write(1, "", 0);
	getppid();
}

int main(void)
{
	CHECK(exited(in_child(refused), 0));
	CHECK(killed(in_child(deadly), SIGSYS));
	CHECK(killed(in_child(strict), SIGKILL));
	return 0;
}
