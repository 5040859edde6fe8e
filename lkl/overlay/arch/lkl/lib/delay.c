// SPDX-License-Identifier: GPL-2.0
/* Busy waiting by the host's clock; there is no hardware to wait for. */
#include <linux/delay.h>
#include <asm/lkl_host.h>

void __ndelay(unsigned long ns)
{
	u64 end = host_clock_ns() + ns;

	while (host_clock_ns() < end)
		;
}

void __udelay(unsigned long us)
{
	u64 end = host_clock_ns() + us * 1000ULL;

	while (host_clock_ns() < end)
		;
}

void __delay(unsigned long loops)
{
	__ndelay(loops);
}
