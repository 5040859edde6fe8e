/* What the kernel cannot have in one piece, it refuses by an errno: a program that
 * asks for it finds no mistake of the kernel's, which would be in its log. */
#include "test.h"
#include <linux/netlink.h>
#include <sys/klog.h>
#include <sys/socket.h>

#define READ_ALL 3

static char log_text[1 << 18];
static char message[16 << 20];

int main(void)
{
	const struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_pid = getpid() };
	const int room = 64 << 20;
	int fd = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK));

	OK(bind(fd, (const void *)&self, sizeof self));
	OK(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room));
	FAILS(sendto(fd, message, sizeof message, 0, (const void *)&self, sizeof self), ENOBUFS);
	int n = OK(klogctl(READ_ALL, log_text, sizeof log_text - 1));
	log_text[n] = 0;
	CHECK(!strstr(log_text, "WARNING: CPU"));
	return 0;
}
