/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LKL_DRIVERS_H
#define _LKL_DRIVERS_H

#include <linux/types.h>

/* console.c, for setup_arch() and image.c */
extern void lkl_console_init(void);
extern void lkl_console_replay(void);

/* disk.c, for init */
extern void lkl_disk_init(void);

#endif
