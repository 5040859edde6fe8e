// SPDX-License-Identifier: GPL-2.0
/* Who to tell when the host says that a stream has changed. */
#include <linux/init.h>
#include <linux/interrupt.h>
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
