/* inotify reports what happens in a folder. */
#include "test.h"
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

int main(void)
{
	char buf[4096] __attribute__((aligned(8)));
	const struct inotify_event *e = (void *)buf;

	mkdir("/tmp/inotify", 0700);
	int fd = OK(inotify_init1(IN_NONBLOCK));
	int watch = OK(inotify_add_watch(fd, "/tmp/inotify", IN_CREATE | IN_DELETE | IN_CLOSE_WRITE));
	FAILS(read(fd, buf, sizeof buf), EAGAIN);
	int file = OK(open("/tmp/inotify/name", O_CREAT | O_WRONLY, 0600));
	CHECK(read(fd, buf, sizeof buf) > 0 && e->wd == watch && e->mask == IN_CREATE && !strcmp(e->name, "name"));
	OK(write(file, "x", 1));
	OK(close(file));
	CHECK(read(fd, buf, sizeof buf) > 0 && e->mask == IN_CLOSE_WRITE);
	OK(unlink("/tmp/inotify/name"));
	CHECK(read(fd, buf, sizeof buf) > 0 && e->mask == IN_DELETE);
	OK(inotify_rm_watch(fd, watch));
	CHECK(read(fd, buf, sizeof buf) > 0 && e->mask == IN_IGNORED);
	OK(rmdir("/tmp/inotify"));
	return 0;
}
