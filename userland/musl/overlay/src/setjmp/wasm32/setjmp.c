#include <stdlib.h>
#include <unistd.h>

/* setjmp for those who have not included <setjmp.h>: configure scripts that
 * only link, and programs that would not work. A function of the library
 * cannot save its caller's frame. */
static _Noreturn void refuse(void)
{
	static const char text[] = "setjmp: called without <setjmp.h>, or through a pointer\n";

	write(2, text, sizeof text - 1);
	abort();
}

int __plain_setjmp(unsigned long *env) __asm__("setjmp");
int __plain_setjmp(unsigned long *env)
{
	refuse();
}

int _setjmp(unsigned long *env)
{
	refuse();
}

int __plain_sigsetjmp(unsigned long *env, int save) __asm__("sigsetjmp");
int __plain_sigsetjmp(unsigned long *env, int save)
{
	refuse();
}
