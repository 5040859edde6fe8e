/* A socket cannot be mapped. A TCP one ended the kernel, which called what the
 * protocol has only with an MMU; the syscall fuzzer found it. */
#include "test.h"
#include <sys/mman.h>
#include <sys/socket.h>

int main(void)
{
	static const int kinds[][2] = {
		{ AF_INET, SOCK_STREAM }, { AF_INET6, SOCK_STREAM }, { AF_INET, SOCK_DGRAM },
		{ AF_UNIX, SOCK_STREAM }, { AF_NETLINK, SOCK_RAW }, { AF_PACKET, SOCK_RAW },
	};

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		int fd = OK(socket(kinds[i][0], kinds[i][1], 0));

		FAILS((long)mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0), ENODEV);
		FAILS((long)mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
		OK(close(fd));
	}
	return 0;
}
