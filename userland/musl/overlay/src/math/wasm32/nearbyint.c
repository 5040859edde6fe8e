#include <math.h>

/* One wasm instruction. */
double nearbyint(double x)
{
	return __builtin_nearbyint(x);
}
