/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LKL_DRIVERS_H
#define _LKL_DRIVERS_H

#include <linux/types.h>

/* console.c, for setup_arch() */
extern void lkl_console_init(void);

#endif
