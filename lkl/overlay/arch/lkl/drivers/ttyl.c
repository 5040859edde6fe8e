// SPDX-License-Identifier: GPL-2.0
/*
 * ttyL: a terminal whose wire is a stream. The line discipline is the guest's.
 *
 *  host -> pump (interrupt, or when the line discipline has made room)
 *          -> flip buffer -> N_TTY -> reader
 *  writer -> N_TTY -> write -> host, the rest into a small queue
 *
 * Nothing is dropped on the way in: what the flip buffer cannot take stays in
 * the stream, where the sender feels it.
 *
 * Lifetime of a slot: free -> bound by lkl_tty_bind() -> opened -> last close
 * (or lkl_tty_unbind()) -> free. lkl_tty_lock guards `bound` and `ttys`; the
 * port's lock guards `stalled` and the queue, and is taken in interrupts.
 */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kfifo.h>
#include <linux/mutex.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/tty_flip.h>
#include <linux/tty_port.h>
#include <linux/workqueue.h>
#include <asm/lkl_host.h>
#include <asm/lkl_stream.h>

#define LKL_TTYS	64
#define LKL_PUMP_CHUNK	512
#define LKL_QUEUE	4096

struct lkl_tty {
	struct tty_port port;
	struct lkl_stream stream;
	struct work_struct resize;
	struct winsize size;
	bool bound;
	int ttys;		/* tty_structs on it: a hung-up one and its successor */
	bool stalled;		/* input waits in the stream for room */
	DECLARE_KFIFO(queue, u8, LKL_QUEUE);
};

static struct tty_driver *lkl_tty_driver;
static struct lkl_tty *lkl_ttys[LKL_TTYS];
static DEFINE_MUTEX(lkl_tty_lock);

/* Moves input on; true when the other side has gone. */
static bool lkl_tty_pump(struct lkl_tty *t)
{
	u8 buf[LKL_PUMP_CHUNK];
	unsigned long flags;
	bool moved = false;
	int n, room;

	spin_lock_irqsave(&t->port.lock, flags);
	for (;;) {
		room = min_t(int, tty_buffer_space_avail(&t->port), sizeof(buf));
		t->stalled = room < sizeof(buf);
		n = -EAGAIN;
		if (t->stalled)
			break;
		n = host_stream_read(t->stream.id, buf, room);
		if (n <= 0)
			break;
		tty_insert_flip_string(&t->port, buf, n);
		moved = true;
	}
	spin_unlock_irqrestore(&t->port.lock, flags);
	if (moved)
		tty_flip_buffer_push(&t->port);
	return n == 0 || (n < 0 && n != -EAGAIN);
}

/* Sends what is queued; true when there is room for more. */
static bool lkl_tty_drain(struct lkl_tty *t)
{
	unsigned long flags;
	u8 buf[256];
	unsigned int len;
	int n;

	spin_lock_irqsave(&t->port.lock, flags);
	while ((len = kfifo_out_peek(&t->queue, buf, sizeof(buf)))) {
		n = host_stream_write(t->stream.id, buf, len);
		/* Nobody reads: the hang-up is on its way. */
		if (n < 0 && n != -EAGAIN)
			n = len;
		if (n <= 0)
			break;
		while (n-- > 0)
			kfifo_skip(&t->queue);
	}
	len = kfifo_avail(&t->queue);
	spin_unlock_irqrestore(&t->port.lock, flags);
	return len > 0;
}

static void lkl_tty_changed(struct lkl_stream *stream)
{
	struct lkl_tty *t = container_of(stream, struct lkl_tty, stream);
	u32 state = host_stream_poll(stream->id);
	bool gone = lkl_tty_pump(t) || state & LKL_STREAM_BROKEN;

	if (lkl_tty_drain(t))
		tty_port_tty_wakeup(&t->port);
	if (state & LKL_STREAM_RESIZED)
		schedule_work(&t->resize);
	if (gone)
		tty_port_tty_hangup(&t->port, false);
}

/* tty_do_resize() sleeps: not for the interrupt. */
static void lkl_tty_resize(struct work_struct *work)
{
	struct lkl_tty *t = container_of(work, struct lkl_tty, resize);
	struct tty_struct *tty = tty_port_tty_get(&t->port);
	u32 size = host_stream_winsize(t->stream.id);
	struct winsize ws = { .ws_row = size >> 16, .ws_col = size & 0xffff };

	if (!tty)
		return;
	tty_do_resize(tty, &ws);
	tty_kref_put(tty);
}

/* The line discipline has taken something: there may be room again. */
static size_t lkl_tty_receive(struct tty_port *port, const u8 *p, const u8 *f, size_t count)
{
	struct lkl_tty *t = container_of(port, struct lkl_tty, port);
	size_t n = tty_port_default_client_ops.receive_buf(port, p, f, count);

	if (n && t->stalled && lkl_tty_pump(t))
		tty_port_tty_hangup(port, false);
	return n;
}

static struct tty_port_client_operations lkl_tty_client_ops;

/* The port's first user is here, or its last one gone. */
static int lkl_tty_activate(struct tty_port *port, struct tty_struct *tty)
{
	struct lkl_tty *t = container_of(port, struct lkl_tty, port);

	tty->winsize = t->size;
	/* What came before there was a port to push it to. */
	lkl_tty_changed(&t->stream);
	return 0;
}

static const struct tty_port_operations lkl_tty_port_ops = {
	.activate = lkl_tty_activate,
};

static int lkl_tty_install(struct tty_driver *driver, struct tty_struct *tty)
{
	struct lkl_tty *t = lkl_ttys[tty->index];
	int err = -ENXIO;

	mutex_lock(&lkl_tty_lock);
	if (t && t->bound)
		err = tty_port_install(&t->port, driver, tty);
	if (!err) {
		tty->driver_data = t;
		t->ttys++;
	}
	mutex_unlock(&lkl_tty_lock);
	return err;
}

static int lkl_tty_open(struct tty_struct *tty, struct file *file)
{
	return tty_port_open(tty->port, tty, file);
}

static void lkl_tty_close(struct tty_struct *tty, struct file *file)
{
	tty_port_close(tty->port, tty, file);
}

static void lkl_tty_hangup(struct tty_struct *tty)
{
	tty_port_hangup(tty->port);
}

static void lkl_tty_release(int minor, struct lkl_tty *t)
{
	/* What was written last is still to be read by the host. */
	lkl_tty_drain(t);
	lkl_stream_detach(&t->stream);
	cancel_work_sync(&t->resize);
	tty_unregister_device(lkl_tty_driver, minor);
	t->bound = false;
}

/* The last file of a tty_struct is closed. */
static void lkl_tty_cleanup(struct tty_struct *tty)
{
	struct lkl_tty *t = tty->driver_data;

	if (!t)
		return;
	mutex_lock(&lkl_tty_lock);
	if (!--t->ttys)
		lkl_tty_release(tty->index, t);
	mutex_unlock(&lkl_tty_lock);
}

static ssize_t lkl_tty_write(struct tty_struct *tty, const u8 *buf, size_t count)
{
	struct lkl_tty *t = tty->driver_data;
	unsigned long flags;
	ssize_t n = 0;

	if (tty->flow.stopped)
		return 0;
	lkl_tty_drain(t);
	spin_lock_irqsave(&t->port.lock, flags);
	if (kfifo_is_empty(&t->queue)) {
		n = host_stream_write(t->stream.id, buf, count);
		if (n == -EAGAIN)
			n = 0;
		else if (n < 0)
			n = count;
	}
	n += kfifo_in(&t->queue, buf + n, count - n);
	spin_unlock_irqrestore(&t->port.lock, flags);
	return n;
}

static unsigned int lkl_tty_write_room(struct tty_struct *tty)
{
	struct lkl_tty *t = tty->driver_data;

	return tty->flow.stopped ? 0 : kfifo_avail(&t->queue);
}

static unsigned int lkl_tty_chars_in_buffer(struct tty_struct *tty)
{
	struct lkl_tty *t = tty->driver_data;

	return kfifo_len(&t->queue);
}

static void lkl_tty_flush_buffer(struct tty_struct *tty)
{
	struct lkl_tty *t = tty->driver_data;
	unsigned long flags;

	spin_lock_irqsave(&t->port.lock, flags);
	kfifo_reset(&t->queue);
	spin_unlock_irqrestore(&t->port.lock, flags);
	tty_wakeup(tty);
}

static const struct tty_operations lkl_tty_ops = {
	.install	= lkl_tty_install,
	.open		= lkl_tty_open,
	.close		= lkl_tty_close,
	.hangup		= lkl_tty_hangup,
	.cleanup	= lkl_tty_cleanup,
	.write		= lkl_tty_write,
	.write_room	= lkl_tty_write_room,
	.chars_in_buffer = lkl_tty_chars_in_buffer,
	.flush_buffer	= lkl_tty_flush_buffer,
};

/* Slots are made when they are first needed and kept. */
static struct lkl_tty *lkl_tty_slot(int *minor)
{
	struct lkl_tty *t;

	for (*minor = 0; *minor < LKL_TTYS; ++*minor)
		if (!lkl_ttys[*minor] || !lkl_ttys[*minor]->bound)
			break;
	if (*minor == LKL_TTYS)
		return ERR_PTR(-ENOSPC);
	if (lkl_ttys[*minor])
		return lkl_ttys[*minor];
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return ERR_PTR(-ENOMEM);
	tty_port_init(&t->port);
	t->port.ops = &lkl_tty_port_ops;
	t->port.client_ops = &lkl_tty_client_ops;
	INIT_KFIFO(t->queue);
	INIT_WORK(&t->resize, lkl_tty_resize);
	lkl_ttys[*minor] = t;
	return t;
}

int lkl_tty_bind(u32 id, u16 rows, u16 cols)
{
	struct lkl_tty *t;
	struct device *dev;
	int minor, err;

	mutex_lock(&lkl_tty_lock);
	t = lkl_tty_slot(&minor);
	err = PTR_ERR_OR_ZERO(t);
	if (err)
		goto out;
	t->stream.id = id;
	t->stream.changed = lkl_tty_changed;
	t->size = (struct winsize) { .ws_row = rows, .ws_col = cols };
	kfifo_reset(&t->queue);
	err = lkl_stream_attach(&t->stream);
	if (err)
		goto out;
	dev = tty_port_register_device(&t->port, lkl_tty_driver, minor, NULL);
	err = PTR_ERR_OR_ZERO(dev);
	if (err)
		lkl_stream_detach(&t->stream);
	else
		t->bound = true;
out:
	mutex_unlock(&lkl_tty_lock);
	return err ?: minor;
}

void lkl_tty_unbind(int minor)
{
	struct lkl_tty *t = lkl_ttys[minor];

	mutex_lock(&lkl_tty_lock);
	if (t && t->bound && !t->ttys)
		lkl_tty_release(minor, t);
	mutex_unlock(&lkl_tty_lock);
}

static int __init lkl_tty_init(void)
{
	struct tty_driver *driver = tty_alloc_driver(LKL_TTYS, TTY_DRIVER_REAL_RAW |
						     TTY_DRIVER_DYNAMIC_DEV);
	int err;

	if (IS_ERR(driver))
		return PTR_ERR(driver);
	lkl_tty_client_ops = tty_port_default_client_ops;
	lkl_tty_client_ops.receive_buf = lkl_tty_receive;
	driver->driver_name = "lkl_stream";
	driver->name = "ttyL";
	driver->type = TTY_DRIVER_TYPE_SERIAL;
	driver->subtype = SERIAL_TYPE_NORMAL;
	driver->init_termios = tty_std_termios;
	tty_set_operations(driver, &lkl_tty_ops);
	err = tty_register_driver(driver);
	if (err) {
		tty_driver_kref_put(driver);
		return err;
	}
	lkl_tty_driver = driver;
	return 0;
}
device_initcall(lkl_tty_init);
