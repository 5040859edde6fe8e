/* Unix sockets: pairs, names, abstract names, descriptors, credentials. */
#include "test.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

static void pass(int to, int fd)
{
	char byte = 'f', control[CMSG_SPACE(sizeof fd)] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	CHECK(sendmsg(to, &msg, 0) == 1);
}

static int take(int from)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	int fd;

	CHECK(recvmsg(from, &msg, MSG_CMSG_CLOEXEC) == 1 && byte == 'f');
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	CHECK(c && c->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

static void named(struct sockaddr_un *un, socklen_t len)
{
	char text[8];
	struct ucred cred;
	socklen_t clen = sizeof cred;

	int server = OK(socket(AF_UNIX, SOCK_STREAM, 0)), client = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	OK(bind(server, (void *)un, len));
	FAILS(connect(client, (void *)un, len), ECONNREFUSED);
	OK(listen(server, 1));
	OK(connect(client, (void *)un, len));
	int peer = OK(accept(server, 0, 0));
	OK(getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &cred, &clen));
	CHECK(cred.pid == getpid() && cred.uid == getuid());
	CHECK(write(client, "hi", 2) == 2 && read(peer, text, 8) == 2);
	OK(close(client));
	CHECK(read(peer, text, 8) == 0);
	OK(close(peer));
	OK(close(server));
}

int main(void)
{
	struct sockaddr_un un = { AF_UNIX, "/tmp/unix-test" };
	char text[16];
	int pair[2];

	OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	OK(write(pair[0], "one", 3));
	OK(write(pair[0], "three", 5));
	CHECK(read(pair[1], text, 16) == 3 && read(pair[1], text, 16) == 5);

	int file = OK(open("/etc/passwd", O_RDONLY));
	pass(pair[0], file);
	int got = take(pair[1]);
	CHECK(got != file && read(got, text, 5) == 5 && !memcmp(text, "root:", 5));
	CHECK(lseek(file, 0, SEEK_CUR) == 5);

	unlink(un.sun_path);
	named(&un, sizeof un);
	OK(unlink(un.sun_path));
	strcpy(un.sun_path + 1, "abstract");
	un.sun_path[0] = 0;
	named(&un, sizeof(sa_family_t) + 9);
	return 0;
}
