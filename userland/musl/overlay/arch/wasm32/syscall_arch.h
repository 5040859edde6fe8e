/* A system call is one import with six 64-bit slots. The kernel takes each
 * argument from its own slot, so a 64-bit one is never split or padded. */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

/* Widening follows the C type: clang zero-extends pointers and unsigned
 * values and sign-extends the others. */
#define __scc(X) ((long long) (X))
typedef long long syscall_arg_t;

__attribute__((__import_module__("linux"), __import_name__("syscall")))
long __linux_syscall(long, long long, long long, long long, long long, long long, long long);

/* The calls that return twice have imports of their own, which an engine
 * expands where they stand. */
__attribute__((__import_module__("linux"), __import_name__("fork"), __returns_twice__))
int __linux_fork(void);
__attribute__((__import_module__("linux"), __import_name__("vfork"), __returns_twice__))
int __linux_vfork(void);

static inline long __syscall0(long n)
{
	return __linux_syscall(n, 0, 0, 0, 0, 0, 0);
}

static inline long __syscall1(long n, long long a)
{
	return __linux_syscall(n, a, 0, 0, 0, 0, 0);
}

static inline long __syscall2(long n, long long a, long long b)
{
	return __linux_syscall(n, a, b, 0, 0, 0, 0);
}

static inline long __syscall3(long n, long long a, long long b, long long c)
{
	return __linux_syscall(n, a, b, c, 0, 0, 0);
}

static inline long __syscall4(long n, long long a, long long b, long long c,
                              long long d)
{
	return __linux_syscall(n, a, b, c, d, 0, 0);
}

static inline long __syscall5(long n, long long a, long long b, long long c,
                              long long d, long long e)
{
	return __linux_syscall(n, a, b, c, d, e, 0);
}

static inline long __syscall6(long n, long long a, long long b, long long c,
                              long long d, long long e, long long f)
{
	return __linux_syscall(n, a, b, c, d, e, f);
}

#define IPC_64 0
