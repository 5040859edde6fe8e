/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_SECCOMP_H
#define _ASM_LKL_SECCOMP_H

#include <asm/unistd.h>
#include <asm-generic/seccomp.h>

#endif
