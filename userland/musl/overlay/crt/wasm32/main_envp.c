/* Linked into a program whose main takes three arguments. A reference to it
 * in crt1.c would have the wrong type for main(void), whose wrapper has the
 * same name. */
int __main_envp(int, char **, char **) __asm__("main");

extern char **__environ;

int __main_argc_argv(int argc, char **argv)
{
	return __main_envp(argc, argv, __environ);
}
