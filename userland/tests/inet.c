/* TCP and UDP over loopback, both address families. */
#include "test.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int family;

static socklen_t loopback(struct sockaddr_storage *ss, int port)
{
	memset(ss, 0, sizeof *ss);
	if (family == AF_INET) {
		struct sockaddr_in *in = (void *)ss;
		*in = (struct sockaddr_in){ AF_INET, htons(port), { htonl(INADDR_LOOPBACK) }, { 0 } };
		return sizeof *in;
	}
	struct sockaddr_in6 *in6 = (void *)ss;
	*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback };
	return sizeof *in6;
}

static void tcp(void)
{
	struct sockaddr_storage ss;
	socklen_t len = loopback(&ss, 0);
	static char out[100000], in[100000];
	int one = 1, status;

	int server = OK(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
	OK(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
	OK(bind(server, (void *)&ss, len));
	OK(listen(server, 5));
	OK(getsockname(server, (void *)&ss, &len));
	pid_t pid = OK(fork());
	if (!pid) {
		int client = OK(socket(family, SOCK_STREAM, 0));
		OK(connect(client, (void *)&ss, len));
		OK(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
		for (unsigned i = 0; i < sizeof out; i++) out[i] = i * 7;
		for (unsigned done = 0; done < sizeof out; ) done += OK(send(client, out + done, sizeof out - done, 0));
		OK(shutdown(client, SHUT_WR));
		CHECK(recv(client, in, 3, MSG_WAITALL) == 3 && !memcmp(in, "bye", 3));
		_exit(0);
	}
	int peer = OK(accept4(server, (void *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC));
	CHECK(ss.ss_family == family);
	unsigned total = 0;
	for (;;) {
		int n = recv(peer, in, sizeof in, 0);
		if (n == 0) break;
		if (n < 0) {
			CHECK(errno == EAGAIN);
			usleep(1000);
			continue;
		}
		for (int i = 0; i < n; i++) CHECK(in[i] == (char)((total + i) * 7));
		total += n;
	}
	CHECK(total == sizeof out);
	OK(send(peer, "bye", 3, 0));
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 0));
	OK(close(peer));
	OK(close(server));

	int refused = OK(socket(family, SOCK_STREAM, 0));
	len = loopback(&ss, 1);
	FAILS(connect(refused, (void *)&ss, len), ECONNREFUSED);
	OK(close(refused));
}

static void udp(void)
{
	struct sockaddr_storage a, from;
	socklen_t len = loopback(&a, 0), flen = sizeof from;
	char text[16];

	int server = OK(socket(family, SOCK_DGRAM, 0)), client = OK(socket(family, SOCK_DGRAM, 0));
	OK(bind(server, (void *)&a, len));
	OK(getsockname(server, (void *)&a, &len));
	CHECK(sendto(client, "hello", 5, 0, (void *)&a, len) == 5);
	CHECK(recvfrom(server, text, 3, MSG_TRUNC, (void *)&from, &flen) == 5 && !memcmp(text, "hel", 3));
	CHECK(sendto(server, "back", 4, 0, (void *)&from, flen) == 4);
	CHECK(recv(client, text, 16, 0) == 4 && !memcmp(text, "back", 4));
	OK(close(server));
	OK(close(client));
}

int main(void)
{
	struct addrinfo *ai, hints = { .ai_socktype = SOCK_STREAM };

	family = AF_INET;
	tcp(), udp();
	family = AF_INET6;
	tcp(), udp();
	CHECK(!getaddrinfo("localhost", "80", &hints, &ai) && ai->ai_addr);
	freeaddrinfo(ai);
	return 0;
}
