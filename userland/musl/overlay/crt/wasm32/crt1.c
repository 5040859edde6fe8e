/* The engine sets __stack_pointer below the argument block and calls _start
 * with its address: argc, argv[], 0, envp[], 0, auxv[], as for ELF. */

int __libc_start_main(int (*)(int, char **, char **), int, char **,
	void (*)(), void (*)(), void (*)());

/* clang names main by its form: main(int, char **) is __main_argc_argv and
 * main(void) has the alias __main_void. The form with envp keeps its name and
 * comes through main_envp.c, which the linking driver adds where it is needed. */
int __main_argc_argv(int, char **) __attribute__((__weak__));
int __main_void(void) __attribute__((__weak__));

/* Constructors are collected by the linker in this function, not in an array.
 * Replaces the weak one of __libc_start_main.c. */
void __wasm_call_ctors(void);
void __libc_start_init(void)
{
	__wasm_call_ctors();
}

static int main_any(int argc, char **argv, char **envp)
{
	return __main_void ? __main_void() : __main_argc_argv(argc, argv);
}

static void start(void *stack)
{
	long *p = stack;
	__libc_start_main(main_any, p[0], (char **)(p+1), 0, 0, 0);
}

/* Calls the function and lets no exception past. Only a program with C++ in it
 * has one; it stands at the bottom of every stack. */
void __wasm_guard(void (*)(void *), void *) __attribute__((__weak__));

void _start(long *p) __attribute__((__export_name__("_start")));
void _start(long *p)
{
	if (__wasm_guard) __wasm_guard(start, p);
	else start(p);
}
