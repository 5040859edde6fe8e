/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_LKL_DELAY_H
#define _ASM_LKL_DELAY_H

extern void __ndelay(unsigned long ns);
extern void __udelay(unsigned long us);
extern void __delay(unsigned long loops);

#define ndelay(n) __ndelay(n)
#define udelay(n) __udelay(n)

#endif
