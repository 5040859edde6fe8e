#include <signal.h>

/* Called by the engine with __stack_pointer below the frame the kernel wrote.
 * The two kinds of handler have different wasm types, and a call through the
 * wrong one traps. */
void __wasm_signal(void *, int, siginfo_t *, void *, int)
	__attribute__((__export_name__("__wasm_signal")));

struct delivery {
	void *handler;
	int sig;
	siginfo_t *info;
	void *ctx;
	int siginfo;
};

static void deliver(void *arg)
{
	struct delivery *d = arg;
	if (d->siginfo) ((void (*)(int, siginfo_t *, void *))d->handler)(d->sig, d->info, d->ctx);
	else ((void (*)(int))d->handler)(d->sig);
}

/* See crt1.c. */
void __wasm_guard(void (*)(void *), void *) __attribute__((__weak__));

void __wasm_signal(void *handler, int sig, siginfo_t *info, void *ctx, int siginfo)
{
	struct delivery d = { handler, sig, info, ctx, siginfo };
	if (__wasm_guard) __wasm_guard(deliver, &d);
	else deliver(&d);
}
