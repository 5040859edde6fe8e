#include "pthread_impl.h"
#include "syscall.h"

hidden long __cancel(void);

/* Signals are taken at safepoints and when a system call returns; there is
 * none between the test and the call, so no cancellation is lost there. */
hidden long __syscall_cp_asm(volatile void *cancel, syscall_arg_t nr,
	syscall_arg_t u, syscall_arg_t v, syscall_arg_t w,
	syscall_arg_t x, syscall_arg_t y, syscall_arg_t z)
{
	pthread_t self = __pthread_self();
	int nested = self->in_cp;
	long r;

	if (*(volatile int *)cancel) return __cancel();
	self->in_cp = 1;
	r = __linux_syscall(nr, u, v, w, x, y, z);
	self->in_cp = nested;
	return r;
}
