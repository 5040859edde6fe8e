/* exec of a script: the interpreter, its argument, the script's name. */
#include "test.h"
#include <fcntl.h>
#include <sys/stat.h>

static void script(const char *path, const char *text)
{
	int fd = OK(open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755));
	OK(write(fd, text, strlen(text)));
	OK(close(fd));
}

static void good(void)
{
	execl("/tmp/script", "script", "a", "b", (char *)0);
	_exit(99);
}

int main(void)
{
	char *argv[] = { "x", 0 };

	script("/tmp/script", "#!/bin/sh -e\n"
		"[ \"$0\" = /tmp/script ] && [ $# = 2 ] && [ \"$1$2\" = ab ] || exit 1\n"
		"false\nexit 2\n");
	/* -e ends it at false, with 1; so both parts are seen */
	int status = in_child(good);
	CHECK(exited(status, 1));
	script("/tmp/script", "#!/bin/sh\nexit $(($# + 40))\n");
	CHECK(exited(in_child(good), 42));
	script("/tmp/script", "#!/nowhere\n");
	FAILS(execve("/tmp/script", argv, argv), ENOENT);
	OK(unlink("/tmp/script"));
	return 0;
}
