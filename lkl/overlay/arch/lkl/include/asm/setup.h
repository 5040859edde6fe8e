/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_SETUP_H
#define _ASM_LKL_SETUP_H

#include <uapi/asm/setup.h>

/* An image has run its initcalls before it has an initrd: see kernel/image.c. */
#define ARCH_POPULATES_ROOTFS

#endif
