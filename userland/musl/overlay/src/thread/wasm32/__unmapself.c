#include "pthread_impl.h"
#include "syscall.h"

/* Both calls pass their arguments as wasm values: the stack that is unmapped
 * here is not touched again. */
void __unmapself(void *base, size_t size)
{
	__syscall(SYS_munmap, base, size);
	for (;;) __syscall(SYS_exit, 0);
}
