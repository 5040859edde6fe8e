// SPDX-License-Identifier: GPL-2.0
/* Who to tell when the host says that a stream has changed; waiting for it. */
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>
#include <asm/lkl_host.h>
#include <asm/lkl_stream.h>

/* Taken with interrupts off: the interrupt looks streams up. */
static DEFINE_XARRAY_FLAGS(lkl_streams, XA_FLAGS_LOCK_IRQ);

int lkl_stream_attach(struct lkl_stream *stream)
{
	return xa_insert_irq(&lkl_streams, stream->id, stream, GFP_KERNEL);
}

void lkl_stream_detach(struct lkl_stream *stream)
{
	/* One CPU: when interrupts are on again, no handler has it in hand. */
	xa_erase_irq(&lkl_streams, stream->id);
	host_stream_close(stream->id);
}

/* Once more after every event, until it answers something but "not now". */
ssize_t lkl_stream_do(u32 id, wait_queue_head_t *wait, long timeout,
		      bool write, void *buf, size_t len)
{
	DEFINE_WAIT(entry);
	ssize_t n;

	for (;;) {
		prepare_to_wait(wait, &entry, TASK_INTERRUPTIBLE);
		n = write ? host_stream_write(id, buf, len) : host_stream_read(id, buf, len);
		if (n != -EAGAIN || !timeout)
			break;
		if (signal_pending(current)) {
			n = -ERESTARTSYS;
			break;
		}
		timeout = schedule_timeout(timeout);
	}
	finish_wait(wait, &entry);
	return n;
}

static irqreturn_t lkl_stream_irq(int irq, void *dev)
{
	int id;

	while ((id = host_stream_event()) >= 0) {
		/* An event may be on its way when the guest closes. */
		struct lkl_stream *stream = xa_load(&lkl_streams, id);

		if (stream)
			stream->changed(stream);
	}
	return IRQ_HANDLED;
}

static int __init lkl_stream_init(void)
{
	return request_irq(LKL_IRQ_STREAM, lkl_stream_irq, 0, "stream", NULL);
}
core_initcall(lkl_stream_init);
