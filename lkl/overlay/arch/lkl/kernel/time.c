// SPDX-License-Identifier: GPL-2.0
/* Clocks: the host's monotonic clock in nanoseconds, and one-shot events. */
#include <linux/clockchips.h>
#include <linux/clocksource.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/sched/clock.h>
#include <linux/timekeeping.h>
#include <asm/lkl_host.h>
#include <asm/paravirt.h>

/* Below this a timer costs more than it waits. */
#define MIN_DELTA_NS 1000
#define MAX_DELTA_NS 0x7fffffff

static u64 lkl_clocksource_read(struct clocksource *cs)
{
	return host_clock_ns();
}

static struct clocksource lkl_clocksource = {
	.name	= "host",
	.rating	= 499,
	.read	= lkl_clocksource_read,
	.mask	= CLOCKSOURCE_MASK(64),
	.flags	= CLOCK_SOURCE_IS_CONTINUOUS,
};

/*
 * What else the host ran on our CPU is charged to nobody. To ask costs a system
 * call of the host's, more than half a task switch: so only after a gap in which
 * somebody else may have had a turn.
 */
#define STEAL_GAP_NS (100 * NSEC_PER_USEC)

struct static_key paravirt_steal_enabled = STATIC_KEY_INIT_TRUE;
struct static_key paravirt_steal_rq_enabled = STATIC_KEY_INIT_TRUE;
u64 lkl_stolen;

unsigned long long notrace sched_clock(void)
{
	static u64 last;
	u64 now = host_sched_ns();

	if (now - last >= STEAL_GAP_NS)
		lkl_stolen = host_stolen_ns();
	last = now;
	return now;
}

static int lkl_timer_shutdown(struct clock_event_device *dev)
{
	host_timer_stop();
	return 0;
}

static int lkl_timer_next(unsigned long ns, struct clock_event_device *dev)
{
	host_timer_set(ns);
	return 0;
}

static struct clock_event_device lkl_timer = {
	.name			= "host",
	.features		= CLOCK_EVT_FEAT_ONESHOT,
	.rating			= 499,
	.set_state_shutdown	= lkl_timer_shutdown,
	.set_next_event		= lkl_timer_next,
};

static irqreturn_t lkl_timer_irq(int irq, void *dev)
{
	/* The tick asks what was stolen before it looks at the clock. */
	sched_clock();
	lkl_timer.event_handler(&lkl_timer);
	return IRQ_HANDLED;
}

void __init time_init(void)
{
	int err = request_irq(LKL_IRQ_TIMER, lkl_timer_irq,
			      IRQF_TIMER | IRQF_NOBALANCING, "timer", NULL);

	if (err)
		panic("timer interrupt: %d", err);
	clocksource_register_khz(&lkl_clocksource, NSEC_PER_SEC / 1000);
	lkl_timer.cpumask = cpu_possible_mask;
	clockevents_config_and_register(&lkl_timer, NSEC_PER_SEC,
					MIN_DELTA_NS, MAX_DELTA_NS);
}

void read_persistent_clock64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(host_realtime_ns());
}
