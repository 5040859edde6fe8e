#include <signal.h>

/* Called by the engine with __stack_pointer below the frame the kernel wrote.
 * The two kinds of handler have different wasm types, and a call through the
 * wrong one traps. */
void __wasm_signal(void *, int, siginfo_t *, void *, int)
	__attribute__((__export_name__("__wasm_signal")));

void __wasm_signal(void *handler, int sig, siginfo_t *info, void *ctx, int siginfo)
{
	if (siginfo) ((void (*)(int, siginfo_t *, void *))handler)(sig, info, ctx);
	else ((void (*)(int))handler)(sig);
}
