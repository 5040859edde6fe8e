#include <setjmp.h>

__attribute__((__import_module__("linux"), __import_name__("longjmp")))
_Noreturn void __linux_longjmp(jmp_buf, int);

_Noreturn void longjmp(jmp_buf env, int val)
{
	__linux_longjmp(env, val);
}

_Noreturn void _longjmp(jmp_buf env, int val)
{
	__linux_longjmp(env, val);
}
