/* Floating point: IEEE results, long double, conversions at the edges. */
#include "test.h"
#include <complex.h>
#include <float.h>
#include <math.h>

int main(void)
{
	double zero = OPAQUE(0.0), tenth = OPAQUE(0.1), big = OPAQUE(1e300);

	CHECK(isinf(1 / zero) && isnan(zero / zero) && signbit(-zero));
	CHECK(tenth + 0.2 != 0.3 && tenth * 3 == 0.30000000000000004);
	CHECK(isinf(big * big) && OPAQUE(5e-324) / 2 == 0);
	CHECK(OPAQUE(16777216.0f) + 1.0f == 16777216.0f);
	CHECK(LDBL_MANT_DIG == 113 && OPAQUE(1.0L) + LDBL_EPSILON != 1.0L);
	CHECK(OPAQUE(1.0L) / 3 * 3 == 1.0L && sqrtl(OPAQUE(2.0L)) > 1.41421356237309504880168L);

	CHECK(sqrt(OPAQUE(2.0)) == 1.4142135623730951 && floor(OPAQUE(-0.5)) == -1);
	CHECK(rint(OPAQUE(2.5)) == 2 && rint(OPAQUE(3.5)) == 4 && trunc(OPAQUE(-1.7)) == -1);
	CHECK(fabs(sin(OPAQUE(M_PI))) < 2e-16 && fabs(exp(OPAQUE(1.0)) - M_E) < 1e-15);
	CHECK(pow(OPAQUE(2.0), 0.5) == sqrt(2) && isnan(pow(OPAQUE(-1.0), 0.5)));
	CHECK(fma(OPAQUE(1e16), 1e16, -1e32) == fma(1e16, 1e16, -1e32));
	CHECK(fmod(OPAQUE(5.5), 2) == 1.5 && remainder(OPAQUE(5.5), 2) == -0.5);
	CHECK(fabs(hypot(OPAQUE(3e200), 4e200) - 5e200) < 1e185 && cbrt(OPAQUE(27.0)) == 3);
	CHECK(isnan(fmin(NAN, NAN)) && fmin(OPAQUE(NAN), 1) == 1 && fmax(1, OPAQUE(NAN)) == 1);
	CHECK(lround(OPAQUE(-2.5)) == -3 && llrint(OPAQUE(1e18)) == 1000000000000000000LL);
	CHECK(cabs(3 + 4 * I) == 5 && creal(csqrt(OPAQUE(-4.0))) == 0);
	int e;
	CHECK(frexp(OPAQUE(48.0), &e) == 0.75 && e == 6 && ldexp(0.75, 6) == 48);

	/* no trap where C says nothing */
	CHECK((int)OPAQUE(1e20) == INT32_MAX && (int)OPAQUE(-1e20) == INT32_MIN && (int)OPAQUE((double)NAN) == 0);
	CHECK((unsigned long long)OPAQUE(1.8e19) == 18000000000000000000ULL);
	CHECK((float)OPAQUE(1e300) == INFINITY);
	return 0;
}
