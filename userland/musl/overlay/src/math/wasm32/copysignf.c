#include <math.h>

/* One wasm instruction. */
float copysignf(float x, float y)
{
	return __builtin_copysignf(x, y);
}
