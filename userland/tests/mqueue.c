/* POSIX message queues: priorities, limits, blocking. */
#include "test.h"
#include <fcntl.h>
#include <mqueue.h>
#include <time.h>

int main(void)
{
	struct mq_attr attr = { .mq_maxmsg = 3, .mq_msgsize = 32 };
	char text[32];
	unsigned priority;
	struct timespec now;

	mq_unlink("/test");
	mqd_t q = OK(mq_open("/test", O_RDWR | O_CREAT | O_EXCL, 0600, &attr));
	OK(mq_send(q, "low", 4, 1));
	OK(mq_send(q, "high", 5, 9));
	OK(mq_getattr(q, &attr));
	CHECK(attr.mq_curmsgs == 2 && attr.mq_msgsize == 32);
	CHECK(mq_receive(q, text, 32, &priority) == 5 && priority == 9 && !strcmp(text, "high"));
	CHECK(mq_receive(q, text, 32, &priority) == 4 && priority == 1);
	FAILS(mq_receive(q, text, 31, 0), EMSGSIZE);
	OK(clock_gettime(CLOCK_REALTIME, &now));
	FAILS(mq_timedreceive(q, text, 32, 0, &now), ETIMEDOUT);

	pid_t pid = OK(fork());
	if (!pid) {
		for (int i = 0; i < 10; i++) OK(mq_send(q, "more", 5, 0));
		_exit(0);
	}
	for (int i = 0; i < 10; i++) CHECK(mq_receive(q, text, 32, 0) == 5);
	OK(waitpid(pid, 0, 0));
	OK(mq_unlink("/test"));
	FAILS(mq_open("/test", O_RDWR), ENOENT);
	return 0;
}
