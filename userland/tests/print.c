/* printf and scanf: numbers out and in. */
#include "test.h"
#include <math.h>
#include <wchar.h>
#include <locale.h>

static void same(const char *want, const char *format, ...)
{
	char buf[128];
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(buf, sizeof buf, format, ap);
	va_end(ap);
	if (strcmp(buf, want) || n != (int)strlen(want)) {
		dprintf(2, "%s gives \"%s\", not \"%s\"\n", format, buf, want);
		_exit(1);
	}
}

int main(void)
{
	same("-42 +7 0x1f 037 4294967295", "%d %+d %#x %#o %u", -42, 7, 31, 31, -1);
	same("    5|5    |00005", "%5d|%-5d|%05d", 5, 5, 5);
	same("-9223372036854775808 18446744073709551615", "%lld %llu", INT64_MIN, UINT64_MAX);
	same("0.1 1e+100 3.14 inf nan", "%g %g %.2f %f %f", 0.1, 1e100, 3.14159, INFINITY, fabs(NAN));
	same("0.1000000000000000055511151231257827", "%.34f", 0.1);
	same("1.79769e+308 4.94066e-324", "%g %g", 1.7976931348623157e308, 4.9406564584124654e-324);
	same("0x1.8p+1 2.5", "%a %.1f", 3.0, 2.45000001);
	same("0.333333333333333333333333333333333317", "%.36Lf", 1.0L / 3);
	same("1.189731495357231765085759326628007e+4932", "%.33Le", 1.18973149535723176508575932662800702e4932L);
	same("ab  |abc|x%", "%-4s|%.3s|%c%%", "ab", "abcdef", 'x');
	same("2 1", "%2$d %1$d", 1, 2);
	same("  1.50", "%*.*f", 6, 2, 1.5);
	CHECK(snprintf(0, 0, "%d", 12345) == 5);

	int a, b;
	long long ll;
	double d;
	long double ld;
	char word[8], set[8];
	CHECK(sscanf("12 0x1F -77777777777 3.5e2 1.25 word abc9", "%d %i %lld %lf %Lf %7s %7[a-z]",
		&a, &b, &ll, &d, &ld, word, set) == 7);
	CHECK(a == 12 && b == 31 && ll == -77777777777 && d == 350 && ld == 1.25L && !strcmp(set, "abc"));

	char *end;
	CHECK(strtod("0.1", 0) == 0.1 && strtod("1e400", 0) == HUGE_VAL && strtod("0x1p-3x", &end) == 0.125 && *end == 'x');
	CHECK(strtod("2.2250738585072011e-308", 0) == 2.2250738585072011e-308);
	CHECK(strtold("0.1", 0) == 0.1L && strtof("16777217", 0) == 16777216.0f);
	errno = 0;
	CHECK(strtol("99999999999", 0, 10) == INT32_MAX && errno == ERANGE && strtol("-zz", 0, 36) == -1295);
	CHECK(strtoull("ffffffffffffffff", 0, 16) == UINT64_MAX);

	setlocale(LC_ALL, "");
	wchar_t wide[8];
	CHECK(mbstowcs(wide, "a\xc3\xa9\xe2\x82\xac", 8) == 3 && wide[1] == 0xe9 && wide[2] == 0x20ac);
	same("\xe2\x82\xac", "%lc", (wint_t)0x20ac);
	return 0;
}
