/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * CPU time of BusyBox applets, without boot and without the making of their
 * input: see serve.h.
 *
 *     applets BUSYBOX DIRECTORY    the input goes into the directory
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "serve.h"

#define MB (1000 * 1000)
#define BYTES_SIZE (200 * MB)
#define TEXT_SIZE (20 * MB)
#define LINES 500000

static char *busybox;

static uint64_t state;

/* Marsaglia's xorshift64*: the same numbers everywhere. */
static uint32_t number(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull >> 32;
}

static FILE *create(const char *name)
{
	FILE *f = fopen(name, "w");
	must(f != 0, name);
	state = 88172645463325252ull;
	return f;
}

static void finish(FILE *f, const char *name)
{
	must(!ferror(f) && !fclose(f), name);
}

static void make_bytes(const char *name)
{
	static uint32_t block[16384];
	FILE *f = create(name);
	for (size_t done = 0; done < BYTES_SIZE; done += sizeof block) {
		/* One fresh block, then changed in places: fast to make, and no
		 * hash depends on how random its input is. */
		for (int i = 0; i < 16384; i += done ? 64 : 1) block[i] = number();
		fwrite(block, sizeof block, 1, f);
	}
	finish(f, name);
}

/* Words of a small vocabulary, rare ones rarely: compresses like prose. */
static void make_text(const char *name)
{
	FILE *f = create(name);
	for (size_t done = 0; done < TEXT_SIZE;) {
		uint32_t word = number() % (number() % 4000 + 1);
		int length = 2 + word % 9;
		for (int i = 0; i < length; i++) putc('a' + (word * 7919u >> i) % 26, f);
		putc(number() % 12 ? ' ' : '\n', f);
		done += length + 1;
	}
	finish(f, name);
}

static void make_lines(const char *name)
{
	FILE *f = create(name);
	for (int i = 0; i < LINES; i++) fprintf(f, "%08x line %u\n", number(), number() % 1000);
	finish(f, name);
}

/* Runs an applet with its output thrown away. */
static double run(char *const argv[])
{
	int status;
	uint64_t begin = now();
	pid_t pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), 1);
		execv(busybox, argv);
		_exit(127);
	}
	must(waitpid(pid, &status, 0) == pid, "wait");
	double took = now() - begin;
	if (status) {
		fprintf(stderr, "%s ended with status %x\n", argv[1], status);
		exit(1);
	}
	return took;
}

static double on_file(const char *name, void (*make)(const char *), char *a, char *b)
{
	char *file = (char *)name;
	if (access(name, F_OK)) make(name);
	char *one[] = { busybox, a, file, 0 }, *two[] = { busybox, a, b, file, 0 };
	return run(b ? two : one);
}

static double sha256_row(void) { return on_file("bytes", make_bytes, "sha256sum", 0); }
static double md5_row(void) { return on_file("bytes", make_bytes, "md5sum", 0); }
static double gzip_row(void) { return on_file("text", make_text, "gzip", "-c"); }
static double sort_row(void) { return on_file("lines", make_lines, "sort", 0); }

static double awk_row(void)
{
	/* No %: musl's fmod on x86 is an instruction of a hundred cycles. */
	return on_file("text", make_text, "awk",
		"{ for (i = 1; i <= NF; i++) count[$i]++ } END { for (w in count) print count[w], w }");
}

static const struct row rows[] = {
	{ "sha256", sha256_row },
	{ "md5", md5_row },
	{ "gzip", gzip_row },
	{ "sort", sort_row },
	{ "awk", awk_row },
	{ 0 }
};

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: applets BUSYBOX DIRECTORY\n");
		return 2;
	}
	busybox = argv[1];
	must(!chdir(argv[2]), argv[2]);
	int code = serve(rows);
	unlink("bytes");
	unlink("text");
	unlink("lines");
	return code;
}
