// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/disk0 and on: disks that the host keeps. A request is carried out while
 * it is queued: the host has its answer at once (a file's page cache, a
 * browser's synchronous file handle), so there is nothing to wait for.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <asm/lkl_host.h>
#include "lkl_drivers.h"

#define LKL_DISK_PARTS	128
#define LKL_DISK_DEPTH	64

/* What host_disk_transfer() is given. */
struct lkl_disk_part {
	u32 at, len;
};

struct lkl_disk {
	u32 id;
	struct blk_mq_tag_set tags;
	struct lkl_disk_part parts[LKL_DISK_PARTS];
};

static blk_status_t lkl_disk_transfer(struct lkl_disk *disk, struct request *rq)
{
	struct req_iterator iter;
	struct bio_vec part;
	u32 count = 0;

	rq_for_each_bvec(part, rq, iter) {
		if (WARN_ON_ONCE(count == LKL_DISK_PARTS))
			return BLK_STS_IOERR;
		disk->parts[count].at = (unsigned long)bvec_virt(&part);
		disk->parts[count++].len = part.bv_len;
	}
	return errno_to_blk_status(host_disk_transfer(disk->id, op_is_write(req_op(rq)),
						      blk_rq_pos(rq), disk->parts, count));
}

static blk_status_t lkl_disk_queue(struct blk_mq_hw_ctx *queue,
				   const struct blk_mq_queue_data *data)
{
	struct request *rq = data->rq;
	struct lkl_disk *disk = rq->q->queuedata;
	blk_status_t status;

	blk_mq_start_request(rq);
	switch (req_op(rq)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		status = lkl_disk_transfer(disk, rq);
		break;
	case REQ_OP_FLUSH:
		status = errno_to_blk_status(host_disk_flush(disk->id));
		break;
	default:
		status = BLK_STS_NOTSUPP;
	}
	blk_mq_end_request(rq, status);
	return BLK_STS_OK;
}

static const struct blk_mq_ops lkl_disk_mq_ops = {
	.queue_rq = lkl_disk_queue,
};

static const struct block_device_operations lkl_disk_ops = {
	.owner = THIS_MODULE,
};

static int __init lkl_disk_add(int major, u32 id)
{
	struct queue_limits limits = {
		.logical_block_size	= SECTOR_SIZE,
		.physical_block_size	= PAGE_SIZE,
		.max_hw_sectors		= LKL_DISK_TRANSFER >> SECTOR_SHIFT,
		.max_segments		= LKL_DISK_PARTS,
		.features		= BLK_FEAT_WRITE_CACHE,
	};
	struct lkl_disk *disk = kzalloc(sizeof(*disk), GFP_KERNEL);
	struct gendisk *gd;
	int err;

	if (!disk)
		return -ENOMEM;
	disk->id = id;
	disk->tags.ops = &lkl_disk_mq_ops;
	disk->tags.nr_hw_queues = 1;
	disk->tags.queue_depth = LKL_DISK_DEPTH;
	disk->tags.numa_node = NUMA_NO_NODE;
	disk->tags.flags = BLK_MQ_F_SHOULD_MERGE;
	err = blk_mq_alloc_tag_set(&disk->tags);
	if (err)
		goto no_tags;
	gd = blk_mq_alloc_disk(&disk->tags, &limits, disk);
	if (IS_ERR(gd)) {
		err = PTR_ERR(gd);
		goto no_disk;
	}
	gd->major = major;
	gd->first_minor = id;
	gd->minors = 1;
	gd->flags |= GENHD_FL_NO_PART;
	gd->fops = &lkl_disk_ops;
	snprintf(gd->disk_name, sizeof(gd->disk_name), "disk%u", id);
	set_capacity(gd, host_disk_sectors(id));
	set_disk_ro(gd, host_disk_features(id) & LKL_DISK_READ_ONLY);
	err = add_disk(gd);
	if (err)
		goto not_added;
	return 0;

not_added:
	put_disk(gd);
no_disk:
	blk_mq_free_tag_set(&disk->tags);
no_tags:
	kfree(disk);
	return err;
}

void __init lkl_disk_init(void)
{
	int major = 0, err;
	u32 id;

	for (id = 0; id < LKL_DISKS && host_disk_sectors(id); id++) {
		if (!major) {
			major = register_blkdev(0, "disk");
			if (major < 0) {
				pr_err("disk: no major number: %d\n", major);
				return;
			}
		}
		err = lkl_disk_add(major, id);
		if (err)
			pr_err("disk%u: cannot be added: %d\n", id, err);
	}
}
