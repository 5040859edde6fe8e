#include <math.h>

/* One wasm instruction. */
double rint(double x)
{
	return __builtin_rint(x);
}
