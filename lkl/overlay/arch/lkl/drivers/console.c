// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/console: what init says at boot goes where the kernel log goes. It
 * does not read: a terminal is a ttyL (ttyl.c), with a stream of its own.
 */
#include <linux/console.h>
#include <linux/init.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/tty_port.h>
#include <asm/lkl_host.h>
#include "lkl_drivers.h"

/* The log takes anything at any time. */
#define LKL_CONSOLE_ROOM 65536

static struct tty_driver *lkl_console_driver;
static struct tty_port lkl_console_port;

static int lkl_console_open(struct tty_struct *tty, struct file *file)
{
	return tty_port_open(&lkl_console_port, tty, file);
}

static void lkl_console_close(struct tty_struct *tty, struct file *file)
{
	tty_port_close(&lkl_console_port, tty, file);
}

static void lkl_console_hangup(struct tty_struct *tty)
{
	tty_port_hangup(&lkl_console_port);
}

static ssize_t lkl_console_tty_write(struct tty_struct *tty, const u8 *buf, size_t n)
{
	host_print(buf, n);
	return n;
}

static unsigned int lkl_console_room(struct tty_struct *tty)
{
	return LKL_CONSOLE_ROOM;
}

static const struct tty_operations lkl_console_ops = {
	.open		= lkl_console_open,
	.close		= lkl_console_close,
	.hangup		= lkl_console_hangup,
	.write		= lkl_console_tty_write,
	.write_room	= lkl_console_room,
};

static const struct tty_port_operations lkl_console_port_ops = { };

static void lkl_console_write(struct console *con, const char *text, unsigned int n)
{
	host_print(text, n);
}

static struct tty_driver *lkl_console_device(struct console *con, int *index)
{
	*index = 0;
	return lkl_console_driver;
}

static struct console lkl_console = {
	.name	= "ttyK",
	.write	= lkl_console_write,
	.device	= lkl_console_device,
	.flags	= CON_PRINTBUFFER | CON_ENABLED,
	.index	= 0,
};

/* From setup_arch(): there is nothing to probe, so nothing is ever lost. */
void __init lkl_console_init(void)
{
	register_console(&lkl_console);
}

/* The whole log, to a host that has not heard it. */
void __init lkl_console_replay(void)
{
	console_lock();
	lkl_console.seq = 0;
	console_unlock();
}

static int __init lkl_console_tty_init(void)
{
	struct tty_driver *driver = tty_alloc_driver(1, TTY_DRIVER_REAL_RAW);
	int err;

	if (IS_ERR(driver))
		return PTR_ERR(driver);
	driver->driver_name = "lkl_console";
	driver->name = "ttyK";
	driver->type = TTY_DRIVER_TYPE_CONSOLE;
	driver->init_termios = tty_std_termios;
	tty_set_operations(driver, &lkl_console_ops);
	tty_port_init(&lkl_console_port);
	lkl_console_port.ops = &lkl_console_port_ops;
	tty_port_link_device(&lkl_console_port, driver, 0);
	err = tty_register_driver(driver);
	if (err) {
		tty_port_destroy(&lkl_console_port);
		tty_driver_kref_put(driver);
		return err;
	}
	lkl_console_driver = driver;
	return 0;
}
device_initcall(lkl_console_tty_init);
