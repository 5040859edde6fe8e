// SPDX-License-Identifier: GPL-2.0
/*
 * A stream as a connected socket: what inetd gives to a service. It has no
 * protocol below it and no address; its other end is on the host. A half
 * close goes either way.
 *
 * socket -> sock -> lkl_sock; the stream is detached by release(), so its
 * events find the socket alive.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/init.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <asm/lkl_host.h>
#include <asm/lkl_stream.h>

#define LKL_SOCK_CHUNK	65536UL

struct lkl_sock {
	struct sock sk;		/* must be first */
	struct lkl_stream stream;
	struct socket *socket;
};

static struct lkl_sock *lkl_sk(struct socket *sock)
{
	return container_of(sock->sk, struct lkl_sock, sk);
}

static void lkl_sock_wake(struct lkl_stream *stream)
{
	struct lkl_sock *s = container_of(stream, struct lkl_sock, stream);

	wake_up_poll(&s->socket->wq.wait, EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM |
		     EPOLLHUP | EPOLLERR);
}

static int lkl_sock_release(struct socket *sock)
{
	struct lkl_sock *s;

	if (!sock->sk)
		return 0;
	s = lkl_sk(sock);
	lkl_stream_detach(&s->stream);
	sock_orphan(&s->sk);
	sock->sk = NULL;
	sock_put(&s->sk);
	return 0;
}

/* An address that programs take for a local one without a name. */
static int lkl_sock_getname(struct socket *sock, struct sockaddr *addr, int peer)
{
	addr->sa_family = AF_UNIX;
	return sizeof(addr->sa_family);
}

static int lkl_sock_shutdown(struct socket *sock, int how)
{
	struct lkl_sock *s = lkl_sk(sock);
	/* SHUT_RD, SHUT_WR, SHUT_RDWR are one less than the bits. */
	unsigned int bits = how + 1, before;

	if (bits > SHUTDOWN_MASK)
		return -EINVAL;
	lock_sock(&s->sk);
	before = s->sk.sk_shutdown;
	s->sk.sk_shutdown = before | bits;
	release_sock(&s->sk);
	if (bits & ~before & SEND_SHUTDOWN)
		host_stream_end(s->stream.id);
	lkl_sock_wake(&s->stream);
	return 0;
}

static __poll_t lkl_sock_poll(struct file *file, struct socket *sock, poll_table *table)
{
	struct lkl_sock *s = lkl_sk(sock);
	unsigned int down = READ_ONCE(s->sk.sk_shutdown);
	__poll_t mask = 0;
	u32 state;

	sock_poll_wait(file, sock, table);
	state = host_stream_poll(s->stream.id);
	if (state & LKL_STREAM_READABLE || down & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (down & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP;
	if (state & LKL_STREAM_WRITABLE)
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (state & LKL_STREAM_BROKEN)
		mask |= EPOLLERR;
	if (state & LKL_STREAM_BROKEN || down == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	return mask;
}

/* Through a buffer of the kernel: the host does not see user memory. */
static int lkl_sock_transfer(struct socket *sock, struct msghdr *msg, size_t len, int flags,
			     ssize_t (*transfer)(struct socket *sock, struct msghdr *msg,
						 void *buf, size_t chunk, int flags))
{
	size_t chunk = min(len, LKL_SOCK_CHUNK);
	ssize_t n;
	void *buf;

	if (!len)
		return 0;
	buf = kmalloc(chunk, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	n = transfer(sock, msg, buf, chunk, flags);
	kfree(buf);
	return n;
}

static ssize_t lkl_sock_do(struct socket *sock, long timeout, bool write, void *buf, size_t len)
{
	ssize_t n = lkl_stream_do(lkl_sk(sock)->stream.id, &sock->wq.wait, timeout, write,
				  buf, len);

	return n == -ERESTARTSYS ? sock_intr_errno(timeout) : n;
}

/* All of @len bytes with MSG_WAITALL, else the first that come. */
static ssize_t lkl_sock_receive(struct socket *sock, struct msghdr *msg, void *buf, size_t chunk,
				int flags)
{
	long timeout = sock_rcvtimeo(sock->sk, flags & MSG_DONTWAIT);
	ssize_t n, total = 0;

	do {
		if (READ_ONCE(sock->sk->sk_shutdown) & RCV_SHUTDOWN)
			break;
		n = lkl_sock_do(sock, timeout, false, buf, min(chunk, msg_data_left(msg)));
		if (n <= 0)
			return total ?: n;
		if (copy_to_iter(buf, n, &msg->msg_iter) != n)
			return total ?: -EFAULT;
		total += n;
	} while (flags & MSG_WAITALL && msg_data_left(msg));
	return total;
}

static int lkl_sock_recvmsg(struct socket *sock, struct msghdr *msg, size_t len, int flags)
{
	/* What was taken from the host cannot be put back. */
	if (flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE))
		return -EOPNOTSUPP;
	return lkl_sock_transfer(sock, msg, len, flags, lkl_sock_receive);
}

static ssize_t lkl_sock_send(struct socket *sock, struct msghdr *msg, void *buf, size_t chunk,
			     int flags)
{
	long timeout = sock_sndtimeo(sock->sk, flags & MSG_DONTWAIT);
	ssize_t total = 0;

	while (msg_data_left(msg)) {
		size_t len = copy_from_iter(buf, min(chunk, msg_data_left(msg)), &msg->msg_iter);
		size_t done = 0;

		if (!len)
			return total ?: -EFAULT;
		while (done < len) {
			ssize_t n = -EPIPE;

			if (!(READ_ONCE(sock->sk->sk_shutdown) & SEND_SHUTDOWN))
				n = lkl_sock_do(sock, timeout, true, buf + done, len - done);
			if (n < 0)
				return total ?: n;
			done += n;
			total += n;
		}
	}
	return total;
}

static int lkl_sock_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	int n;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	n = lkl_sock_transfer(sock, msg, len, msg->msg_flags, lkl_sock_send);
	if (n == -EPIPE && !(msg->msg_flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
	return n;
}

static const struct proto_ops lkl_sock_ops = {
	.family		= PF_UNSPEC,
	.owner		= THIS_MODULE,
	.release	= lkl_sock_release,
	.bind		= sock_no_bind,
	.connect	= sock_no_connect,
	.socketpair	= sock_no_socketpair,
	.accept		= sock_no_accept,
	.getname	= lkl_sock_getname,
	.poll		= lkl_sock_poll,
	.ioctl		= sock_no_ioctl,
	.listen		= sock_no_listen,
	.shutdown	= lkl_sock_shutdown,
	.sendmsg	= lkl_sock_sendmsg,
	.recvmsg	= lkl_sock_recvmsg,
	.mmap		= sock_no_mmap,
};

static struct proto lkl_sock_proto = {
	.name		= "HOST",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct lkl_sock),
};

struct file *lkl_stream_socket(u32 id)
{
	struct socket *sock = sock_alloc();
	struct lkl_sock *s;
	struct sock *sk;
	int err = -ENOMEM;

	if (!sock)
		return ERR_PTR(-ENFILE);
	sock->type = SOCK_STREAM;
	/* The host's, not the guest's: of no network namespace that may end. */
	sk = sk_alloc(&init_net, PF_UNSPEC, GFP_KERNEL, &lkl_sock_proto, 1);
	if (!sk)
		goto fail;
	sock_init_data(sock, sk);
	sk->sk_state = TCP_ESTABLISHED;
	s = container_of(sk, struct lkl_sock, sk);
	s->socket = sock;
	s->stream.id = id;
	s->stream.changed = lkl_sock_wake;
	err = lkl_stream_attach(&s->stream);
	if (err) {
		sock_orphan(sk);
		sock->sk = NULL;
		sock_put(sk);
		goto fail;
	}
	sock->ops = &lkl_sock_ops;
	sock->state = SS_CONNECTED;
	/* Releases the socket if it cannot. */
	return sock_alloc_file(sock, 0, NULL);
fail:
	sock_release(sock);
	return ERR_PTR(err);
}

static int __init lkl_sock_init(void)
{
	return proto_register(&lkl_sock_proto, 0);
}
fs_initcall(lkl_sock_init);
