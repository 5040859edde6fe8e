/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A program of benchmark rows: reads the name of a row from stdin, measures it
 * once, writes the nanoseconds as a line, and so on until stdin ends. Guest and
 * host run the same source side by side, and the harness asks them in turn, so
 * that a neighbour on the machine disturbs both alike.
 */
#ifndef SERVE_H
#define SERVE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct row {
	const char *name;
	double (*measure)(void); /* nanoseconds */
};

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void must(int ok, const char *what)
{
	if (ok) return;
	perror(what);
	exit(1);
}

static int serve(const struct row *rows)
{
	char name[64];

	while (fgets(name, sizeof name, stdin)) {
		const struct row *row = rows;
		name[strcspn(name, "\n")] = 0;
		while (row->name && strcmp(row->name, name)) row++;
		if (!row->name) {
			fprintf(stderr, "no row is named %s\n", name);
			return 2;
		}
		printf("%.1f\n", row->measure());
		fflush(stdout);
	}
	return 0;
}

#endif
