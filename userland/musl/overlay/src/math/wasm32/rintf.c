#include <math.h>

/* One wasm instruction. */
float rintf(float x)
{
	return __builtin_rintf(x);
}
