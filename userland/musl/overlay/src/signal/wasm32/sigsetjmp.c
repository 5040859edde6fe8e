#include <setjmp.h>
#include <signal.h>

/* sigsetjmp is a macro: it saves the mask here, then calls setjmp in the
 * caller's own frame. */
struct __jmp_buf_tag *__sigsetjmp_mask(sigjmp_buf env, int save)
{
	env->__fl = save;
	if (save) sigprocmask(SIG_SETMASK, 0, (sigset_t *)env->__ss);
	return env;
}
