#include <math.h>

/* One wasm instruction. */
float nearbyintf(float x)
{
	return __builtin_nearbyintf(x);
}
