/* Functions that are called through pointers of another type: what C programs do
 * because it works on every machine. */
#include "test.h"
#include <pthread.h>

#pragma clang diagnostic ignored "-Wcast-function-type-mismatch"
#pragma clang diagnostic ignored "-Wdeprecated-non-prototype"

static int called;
static long long wide_value;

static void nothing(void) { called += 1; }
static void one(void *p) { *(int *)p += 10; }
static int sum(int a, int b) { return a + b; }
static int eight(int a, int b, int c, int d, int e, int f, int g, int h)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
}
static long long wide(long long a) { wide_value = a; return a + 1; }
static int narrow(int a) { return a * 2; }
static double real(double a, int b) { return a * b; }
static float single(float a) { return a + 0.5f; }
static int mixed(int a, double x, long long b, float y)
{
	return a == 1 && x == 2.5 && b == 3 && y == 4.5f;
}

/* The optimiser must not know what is called. */
typedef void (*any)(void);
#define AS(type, f) ((type)OPAQUE((any)(f)))

static void arguments(void)
{
	int n = 5;

	AS(int (*)(void *), nothing)(&n);
	CHECK(called == 1);
	AS(void (*)(void *, int, int), one)(&n, 1, 2);
	CHECK(n == 15);
	AS(int (*)(void *, int, int), one)(&n, 1, 2);
	CHECK(n == 25);
	CHECK(AS(int (*)(int, int, int), sum)(20, 22, 100) == 42);
	/* A missing argument is 0 here; natively, what the register holds. */
	CHECK(AS(int (*)(int), sum)(20) == 20);
	CHECK(AS(int (*)(int, int, int, int, int, int, int, int, int, int), eight)
	      (1, 1, 1, 1, 1, 1, 1, 1, 9, 9) == 36);
	AS(void (*)(int, int), sum)(1, 2);
	CHECK(AS(int (*)(void *), one)(&n) == 0 && n == 35);
}

static void widths(void)
{
	CHECK(AS(int (*)(int), wide)(41) == 42 && wide_value == 41);
	/* The upper half is 0, not the sign. */
	AS(int (*)(int), wide)(-1);
	CHECK(wide_value == 0xffffffffLL);
	CHECK(AS(long long (*)(long long), narrow)(0x700000015LL) == 42);
	CHECK(AS(unsigned long long (*)(long long), narrow)(-1) == 0xfffffffeULL);
}

/* Integers and floating-point values are in registers of their own. */
static void classes(void)
{
	CHECK(AS(double (*)(int, double), real)(3, 1.5) == 4.5);
	CHECK(AS(double (*)(double), real)(1.5) == 0);
	CHECK(AS(int (*)(double, float, int, long long), mixed)(2.5, 4.5f, 1, 3));
	CHECK(AS(float (*)(float, int), single)(1.5f, 7) == 2);
	CHECK(AS(int (*)(float), single)(1.5f) == 0);
	CHECK(AS(double (*)(int, int), sum)(1, 2) == 0);
}

/* A type that takes no names of its arguments, as old C has it. */
struct cleanup {
	int (*function)();
	void *argument;
};

static int freed;
static void release(void *p) { freed++; free(p); }
static void finish(void) { freed += 10; }

static void cleanups(void)
{
	struct cleanup list[] = {
		{ (int (*)())release, malloc(10) },
		{ (int (*)())finish, 0 },
		{ (int (*)())release, malloc(10) },
	};
	for (int i = 0; i < OPAQUE(3); i++) list[i].function(list[i].argument);
	CHECK(freed == 12);
}

/* Callbacks of the C library. */
static int compare(int *a, int *b, void *surplus)
{
	(void)surplus;
	return *a < *b ? -1 : *a > *b;
}

static int found_at(const int *key)
{
	/* With one parameter instead of two everything is the same. */
	return *key == 7 ? 0 : 1;
}

static void callbacks(void)
{
	int numbers[] = { 9, 3, 7, 1 };

	qsort(numbers, 4, sizeof *numbers, AS(int (*)(const void *, const void *), compare));
	CHECK(numbers[0] == 1 && numbers[1] == 3 && numbers[2] == 7 && numbers[3] == 9);
	int key = 7;
	CHECK(bsearch(&key, numbers, 4, sizeof *numbers, AS(int (*)(const void *, const void *), found_at)));
}

static volatile int signals;
static void no_signal(void) { signals++; }
static int returns_signal(int sig) { return signals = sig; }

static void handlers(void)
{
	handle(SIGUSR1, AS(void (*)(int), no_signal), 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(signals == 2);
	handle(SIGUSR1, AS(void (*)(int), returns_signal), SA_SIGINFO);
	raise(SIGUSR1);
	CHECK(signals == SIGUSR1);
}

static void thread_void(void) { called = 77; }
static int thread_int(int n) { return n + 1; }

static void threads(void)
{
	pthread_t t;
	void *result;

	CHECK(!pthread_create(&t, 0, AS(void *(*)(void *), thread_void), 0));
	CHECK(!pthread_join(t, &result) && !result && called == 77);
	CHECK(!pthread_create(&t, 0, AS(void *(*)(void *), thread_int), (void *)41));
	CHECK(!pthread_join(t, &result) && (int)result == 42);
}

/* A fork below a call of another type. */
static int forks(int code)
{
	int status;
	pid_t pid = OK(fork());

	if (!pid) _exit(code);
	OK(waitpid(pid, &status, 0));
	return exited(status, code);
}

static void below(void)
{
	CHECK(AS(int (*)(int, int), forks)(7, 8));
	CHECK(AS(long long (*)(long long, double), forks)(9, 1.0));
}

static void null(void) { AS(void (*)(int), 0)(1); }
static void beyond(void) { AS(void (*)(int), 0x7fffffff)(1); }

static int at_exit(int code)
{
	(void)code;
	_exit(42);
}

static void leaves(void)
{
	atexit(AS(void (*)(void), at_exit));
	exit(1);
}

int main(void)
{
	arguments();
	widths();
	classes();
	cleanups();
	callbacks();
	handlers();
	threads();
	below();
	CHECK(killed(in_child(null), SIGSEGV));
	CHECK(killed(in_child(beyond), SIGSEGV));
	CHECK(exited(in_child(leaves), 42));
	return 0;
}
