#include <stdarg.h>
#include <stdint.h>
#include "pthread_impl.h"
#include "syscall.h"

/* The child's first words on its stack, for __wasm_thread_start. 16 bytes, so
 * that the stack stays aligned. */
struct start {
	int (*func)(void *);
	void *arg;
	int pad[2];
};

int __clone(int (*func)(void *), void *stack, int flags, void *arg, ...)
{
	struct start *s = (void *)((uintptr_t)stack & -16);
	pid_t *ptid = 0, *ctid = 0;
	void *tls = 0;
	va_list ap;

	/* posix_spawn passes none, which is a null pointer. */
	va_start(ap, arg);
	if (ap) {
		ptid = va_arg(ap, pid_t *);
		tls = va_arg(ap, void *);
		ctid = va_arg(ap, pid_t *);
	}
	va_end(ap);

	if (!stack) return -EINVAL;
	s--;
	s->func = func;
	s->arg = arg;
	return __syscall(SYS_clone, flags, s, ptid, tls, ctid);
}

void __wasm_thread_start(struct start *) __attribute__((__export_name__("__wasm_thread_start")));
static void run(void *arg)
{
	struct start *s = arg;
	int r = s->func(s->arg);
	for (;;) __syscall(SYS_exit, r);
}

/* See crt1.c. */
void __wasm_guard(void (*)(void *), void *) __attribute__((__weak__));

void __wasm_thread_start(struct start *s)
{
	if (__wasm_guard) __wasm_guard(run, s);
	else run(s);
}
