/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streams: bytes between host and guest, by a number that the host gives.
 *
 *      stream_file.c   a file like a pipe's end    \
 *      stream_socket.c a connected socket           |  stream.c: events by number
 *      ttyl.c          a terminal with N_TTY       /
 *
 * An attached stream belongs to one file or terminal. Its changed() runs in
 * interrupt context, never after lkl_stream_detach() has returned.
 */
#ifndef _ASM_LKL_STREAM_H
#define _ASM_LKL_STREAM_H

#include <linux/types.h>
#include <linux/wait.h>

struct file;

struct lkl_stream {
	u32 id;
	void (*changed)(struct lkl_stream *stream);
};

extern int lkl_stream_attach(struct lkl_stream *stream);
/* The host's stream is closed with it. */
extern void lkl_stream_detach(struct lkl_stream *stream);

/*
 * Reads or writes what there is now, or waits for at most @timeout jiffies on
 * @wait, which changed() wakes: bytes (0 is the end), -EAGAIN, -ERESTARTSYS or
 * the host's error.
 */
extern ssize_t lkl_stream_do(u32 id, wait_queue_head_t *wait, long timeout,
			     bool write, void *buf, size_t len);

/* A file on a stream, opened O_RDONLY or O_WRONLY. */
extern struct file *lkl_stream_file(u32 id, int flags);

/* A socket whose other end is the host. */
extern struct file *lkl_stream_socket(u32 id);

/* A terminal on a stream: its minor number. It lasts until its last close. */
extern int lkl_tty_bind(u32 id, u16 rows, u16 cols);
/* Gives up a terminal that could not be opened. */
extern void lkl_tty_unbind(int minor);

#endif
