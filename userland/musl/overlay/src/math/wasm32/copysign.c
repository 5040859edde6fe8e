#include <math.h>

/* One wasm instruction. */
double copysign(double x, double y)
{
	return __builtin_copysign(x, y);
}
