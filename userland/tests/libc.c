/* The C library: sorting, searching, strings, memory, dates, patterns. */
#include "test.h"
#include <fnmatch.h>
#include <glob.h>
#include <regex.h>
#include <search.h>
#include <time.h>

static int up(const void *a, const void *b) { return (*(int *)a > *(int *)b) - (*(int *)a < *(int *)b); }
static int by(const void *a, const void *b, void *sign) { return up(a, b) * *(int *)sign; }

static void sorting(void)
{
	static int v[10000];
	unsigned seed = 1;
	int minus = -1, key;

	for (int i = 0; i < 10000; i++) v[i] = (seed = seed * 1103515245 + 12345) >> 8;
	qsort(v, 10000, sizeof *v, up);
	for (int i = 1; i < 10000; i++) CHECK(v[i - 1] <= v[i]);
	key = v[1234];
	int *found = bsearch(&key, v, 10000, sizeof *v, up);
	CHECK(found && *found == key);
	qsort_r(v, 10000, sizeof *v, by, &minus);
	for (int i = 1; i < 10000; i++) CHECK(v[i - 1] >= v[i]);
	void *root = 0;
	for (int i = 0; i < 100; i++) CHECK(tsearch(&v[i], &root, up));
	CHECK(tfind(&v[50], &root, up) && !tfind(&(int){ -1 }, &root, up));
}

static void memory(void)
{
	char *blocks[500] = { 0 };
	unsigned seed = 7;

	for (int i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		unsigned n = (seed >> 8) % 500, size = (seed >> 4) % 3000 + 1;
		if (blocks[n]) CHECK(blocks[n][0] == (char)n);
		blocks[n] = realloc(blocks[n], size);
		CHECK(blocks[n]);
		memset(blocks[n], n, size);
	}
	for (int i = 0; i < 500; i++) free(blocks[i]);
	char *p = aligned_alloc(4096, 8192);
	CHECK(p && (uintptr_t)p % 4096 == 0);
	free(p);
	errno = 0;
	CHECK(!OPAQUE(malloc(OPAQUE((size_t)-100))) && errno == ENOMEM);
	char text[16] = "0123456789";
	memmove(text + 2, text, 8);
	CHECK(!strcmp(text, "0101234567"));
}

static void strings(void)
{
	char text[] = "a,b;;c", *save, *line = 0;
	size_t size = 0;

	CHECK(!strcmp(strtok_r(text, ",;", &save), "a") && !strcmp(strtok_r(0, ",;", &save), "b"));
	CHECK(!strcmp(strtok_r(0, ",;", &save), "c") && !strtok_r(0, ",;", &save));
	CHECK(!strcmp(strstr("haystack with needle", "needle"), "needle") && !strchr("abc", 'x'));
	CHECK(strverscmp("a9", "a10") < 0 && strcasecmp("ABC", "abc") == 0 && strspn("aab", "a") == 2);
	CHECK(!fnmatch("*.[ch]", "x.c", 0) && fnmatch("a?", "abc", 0));
	regex_t re;
	regmatch_t m[2];
	CHECK(!regcomp(&re, "([0-9]+)-x", REG_EXTENDED) && !regexec(&re, "ab12-x", 2, m, 0) && m[1].rm_so == 2);
	glob_t g;
	CHECK(!glob("/etc/pass*", 0, 0, &g) && g.gl_pathc == 1 && !strcmp(g.gl_pathv[0], "/etc/passwd"));
	FILE *f = fmemopen("one\ntwo\n", 8, "r");
	CHECK(getline(&line, &size, f) == 4 && getline(&line, &size, f) == 4 && getline(&line, &size, f) == -1);
	fclose(f);
	f = open_memstream(&line, &size);
	fprintf(f, "%d", 1234);
	fclose(f);
	CHECK(size == 4 && !strcmp(line, "1234"));
}

int main(void)
{
	char text[64];
	struct tm tm = { .tm_year = 124, .tm_mon = 1, .tm_mday = 29, .tm_hour = 12 };

	sorting(), memory(), strings();
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	CHECK(mktime(&tm) == 1709204400 && tm.tm_wday == 4 && tm.tm_yday == 59);
	CHECK(strftime(text, sizeof text, "%Y-%m-%d %H:%M %Z", &tm) && !strcmp(text, "2024-02-29 12:00 CET"));
	CHECK(!strcmp(getenv("TZ"), "CET-1CEST,M3.5.0,M10.5.0/3") && !unsetenv("TZ") && !getenv("TZ"));
	return 0;
}
