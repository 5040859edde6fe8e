/* signalfd, and sigtimedwait: signals as data. */
#include "test.h"
#include <sys/signalfd.h>
#include <time.h>

int main(void)
{
	struct signalfd_siginfo si;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &set, 0));
	int fd = OK(signalfd(-1, &set, SFD_NONBLOCK));
	FAILS(read(fd, &si, sizeof si), EAGAIN);
	OK(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 5 }));
	CHECK(read(fd, &si, sizeof si) == sizeof si && si.ssi_signo == SIGUSR1 && si.ssi_int == 5);

	pid_t pid = OK(fork());
	if (!pid) _exit(3);
	CHECK(sigwaitinfo(&set, &info) == SIGCHLD && info.si_pid == pid && info.si_status == 3);
	OK(waitpid(pid, 0, 0));

	/* real-time signals queue, in order */
	for (int i = 0; i < 3; i++) OK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i }));
	for (int i = 0; i < 3; i++)
		CHECK(sigtimedwait(&set, &info, &(struct timespec){ 1, 0 }) == SIGRTMIN && info.si_value.sival_int == i);
	FAILS(sigtimedwait(&set, &info, &(struct timespec){ 0, 1000000 }), EAGAIN);
	return 0;
}
