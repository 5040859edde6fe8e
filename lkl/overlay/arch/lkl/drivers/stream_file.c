// SPDX-License-Identifier: GPL-2.0
/*
 * A stream as a file. Programs see a pipe's end: no position, no size. It has
 * an inode of its own in a file system that is not mounted, so that opening
 * /dev/stdout (/proc/self/fd/1) gives another file on the same stream.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/mount.h>
#include <linux/poll.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <asm/lkl_host.h>
#include <asm/lkl_stream.h>

#define LKL_STREAM_MAGIC	0x4c4b5354	/* LKST */
#define LKL_STREAM_CHUNK	65536UL

/* Lives as long as its inode. */
struct lkl_stream_inode {
	struct lkl_stream stream;
	wait_queue_head_t wait;
};

static struct vfsmount *lkl_stream_mnt;

static struct lkl_stream_inode *lkl_inode(struct file *file)
{
	return file_inode(file)->i_private;
}

static void lkl_stream_wake(struct lkl_stream *stream)
{
	wake_up_poll(&container_of(stream, struct lkl_stream_inode, stream)->wait,
		     EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLHUP | EPOLLERR);
}

static ssize_t lkl_stream_once(struct kiocb *iocb, bool write, void *buf, size_t len)
{
	struct lkl_stream_inode *in = lkl_inode(iocb->ki_filp);
	bool nonblock = iocb->ki_filp->f_flags & O_NONBLOCK || iocb->ki_flags & IOCB_NOWAIT;

	return lkl_stream_do(in->stream.id, &in->wait, nonblock ? 0 : MAX_SCHEDULE_TIMEOUT,
			     write, buf, len);
}

static ssize_t lkl_stream_read(struct kiocb *iocb, struct iov_iter *to)
{
	size_t len = min(iov_iter_count(to), LKL_STREAM_CHUNK);
	ssize_t n;
	void *buf;

	if (!len)
		return 0;
	buf = kmalloc(len, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	n = lkl_stream_once(iocb, false, buf, len);
	/* As with a pipe, what a bad buffer does not take is lost. */
	if (n > 0 && copy_to_iter(buf, n, to) != n)
		n = -EFAULT;
	kfree(buf);
	return n;
}

/* All of @buf, or as much as there was before an error. */
static ssize_t lkl_stream_write_chunk(struct kiocb *iocb, void *buf, size_t len, size_t *done)
{
	ssize_t n;

	for (*done = 0; *done < len; *done += n) {
		n = lkl_stream_once(iocb, true, buf + *done, len - *done);
		if (n < 0)
			return n;
		/* The host has no room to report but -EAGAIN. */
		if (WARN_ON_ONCE(!n))
			return -EIO;
	}
	return 0;
}

static ssize_t lkl_stream_write(struct kiocb *iocb, struct iov_iter *from)
{
	size_t chunk = min(iov_iter_count(from), LKL_STREAM_CHUNK), total = 0;
	ssize_t err = 0;
	void *buf;

	if (!chunk)
		return 0;
	buf = kmalloc(chunk, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	while (!err && iov_iter_count(from)) {
		size_t n = copy_from_iter(buf, min(iov_iter_count(from), chunk), from);
		size_t done;

		if (!n) {
			err = -EFAULT;
			break;
		}
		err = lkl_stream_write_chunk(iocb, buf, n, &done);
		iov_iter_revert(from, n - done);
		total += done;
	}
	kfree(buf);
	if (err == -EPIPE)
		send_sig(SIGPIPE, current, 0);
	return total ?: err;
}

static __poll_t lkl_stream_poll(struct file *file, poll_table *table)
{
	struct lkl_stream_inode *in = lkl_inode(file);
	__poll_t mask = 0;
	u32 state;

	poll_wait(file, &in->wait, table);
	state = host_stream_poll(in->stream.id);
	if (file->f_mode & FMODE_READ && state & LKL_STREAM_READABLE)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (file->f_mode & FMODE_WRITE) {
		if (state & LKL_STREAM_WRITABLE)
			mask |= EPOLLOUT | EPOLLWRNORM;
		if (state & LKL_STREAM_BROKEN)
			mask |= EPOLLERR;
	}
	return mask;
}

static int lkl_stream_open(struct inode *inode, struct file *file)
{
	return stream_open(inode, file);
}

static const struct file_operations lkl_stream_fops = {
	.open		= lkl_stream_open,
	.read_iter	= lkl_stream_read,
	.write_iter	= lkl_stream_write,
	.splice_read	= copy_splice_read,
	.splice_write	= iter_file_splice_write,
	.poll		= lkl_stream_poll,
};

struct file *lkl_stream_file(u32 id, int flags)
{
	struct lkl_stream_inode *in;
	struct inode *inode;
	struct file *file;
	int err;

	inode = alloc_anon_inode(lkl_stream_mnt->mnt_sb);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	in = kmalloc(sizeof(*in), GFP_KERNEL);
	if (!in) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}
	in->stream.id = id;
	in->stream.changed = lkl_stream_wake;
	init_waitqueue_head(&in->wait);
	err = lkl_stream_attach(&in->stream);
	if (err) {
		kfree(in);
		iput(inode);
		return ERR_PTR(err);
	}
	/* From here the inode's end detaches it. */
	inode->i_mode = S_IFIFO | 0600;
	inode->i_fop = &lkl_stream_fops;
	inode->i_private = in;
	file = alloc_file_pseudo(inode, lkl_stream_mnt, "host-stream", flags, &lkl_stream_fops);
	if (IS_ERR(file)) {
		iput(inode);
		return file;
	}
	stream_open(inode, file);
	return file;
}

static void lkl_stream_evict(struct inode *inode)
{
	struct lkl_stream_inode *in = inode->i_private;

	clear_inode(inode);
	if (in) {
		lkl_stream_detach(&in->stream);
		kfree(in);
	}
}

static const struct super_operations lkl_stream_sops = {
	.statfs		= simple_statfs,
	.evict_inode	= lkl_stream_evict,
};

static char *lkl_stream_dname(struct dentry *dentry, char *buffer, int len)
{
	struct lkl_stream_inode *in = d_inode(dentry)->i_private;

	return dynamic_dname(buffer, len, "host-stream:[%u]", in->stream.id);
}

static const struct dentry_operations lkl_stream_dops = {
	.d_dname = lkl_stream_dname,
};

static int lkl_stream_init_fs(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, LKL_STREAM_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &lkl_stream_sops;
	ctx->dops = &lkl_stream_dops;
	return 0;
}

static struct file_system_type lkl_stream_fs = {
	.name			= "hoststream",
	.init_fs_context	= lkl_stream_init_fs,
	.kill_sb		= kill_anon_super,
};

static int __init lkl_stream_fs_init(void)
{
	lkl_stream_mnt = kern_mount(&lkl_stream_fs);
	return PTR_ERR_OR_ZERO(lkl_stream_mnt);
}
fs_initcall(lkl_stream_fs_init);
