#define _GNU_SOURCE
#include <unistd.h>
#include "syscall.h"

/* No frame in the linear stack: the child overwrites it before the parent
 * returns. What the parent keeps is in wasm locals, which the engine saves. */
pid_t vfork(void)
{
	return __syscall_ret(__linux_vfork());
}
