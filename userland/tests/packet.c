/* Packet sockets see what goes over loopback; netlink lists the interface. */
#include "test.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netpacket/packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

static void sniff(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9999) };
	struct sockaddr_ll from;
	socklen_t len = sizeof from;
	char buf[2048];
	int raw = OK(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)));
	int udp = OK(socket(AF_INET, SOCK_DGRAM, 0));

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(OK(sendto(udp, "look", 4, 0, (void *)&to, sizeof to)) == 4);
	int n = OK(recvfrom(raw, buf, sizeof buf, 0, (void *)&from, &len));
	struct iphdr *ip = (void *)buf;
	CHECK(n == 20 + 8 + 4 && ip->protocol == IPPROTO_UDP && !memcmp(buf + 28, "look", 4));
	CHECK((unsigned)from.sll_ifindex == if_nametoindex("lo"));
}

static void list_links(void)
{
	struct { struct nlmsghdr h; struct rtgenmsg g; } ask = {
		.h = { .nlmsg_len = sizeof ask, .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.g = { .rtgen_family = AF_UNSPEC },
	};
	static char buf[16384] __attribute__((aligned(8)));
	int s = OK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)), links = 0;

	CHECK(OK(send(s, &ask, sizeof ask, 0)) == sizeof ask);
	int n = OK(recv(s, buf, sizeof buf, 0));
	for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, (unsigned)n); h = NLMSG_NEXT(h, n))
		links += h->nlmsg_type == RTM_NEWLINK;
	CHECK(links >= 1);
}

int main(void)
{
	sniff();
	list_links();
	return 0;
}
