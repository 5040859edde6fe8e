/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Costs of kernel calls and process operations, for the guest and for the host:
 * the same file compiled for both. Prints "name nanoseconds" lines, each the
 * best of several rounds, so that a neighbour on the machine disturbs little.
 *
 *     calls EXEC-TARGET     EXEC-TARGET: a program that exits at once
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 5

static const char *target;
static int ends[2], back[2];

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

static void getppid_once(void)
{
	getppid();
}

static void pipe_once(void)
{
	char c = 0;
	must(write(ends[1], &c, 1) == 1 && read(ends[0], &c, 1) == 1, "pipe");
}

static void open_once(void)
{
	int fd = open("/tmp/bench-file", O_RDONLY);
	must(fd >= 0, "open");
	close(fd);
}

static void pingpong_once(void)
{
	char c = 0;
	must(write(ends[1], &c, 1) == 1 && read(back[0], &c, 1) == 1, "ping-pong");
}

static void fork_once(void)
{
	int status;
	pid_t pid = fork();
	must(pid >= 0, "fork");
	if (!pid) _exit(0);
	must(waitpid(pid, &status, 0) == pid, "wait");
}

static void exec_once(void)
{
	int status;
	char *argv[] = { (char *)target, 0 }, *envp[] = { 0 };
	pid_t pid = vfork();
	must(pid >= 0, "vfork");
	if (!pid) {
		execve(target, argv, envp);
		_exit(127);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0, "exec");
}

static void shell_once(void)
{
	must(system("exit") == 0, "sh");
}

static void *nothing(void *arg)
{
	return arg;
}

static void thread_once(void)
{
	pthread_t t;
	must(!pthread_create(&t, 0, nothing, 0) && !pthread_join(t, 0), "thread");
}

static void measure(const char *name, void (*once)(void), int n)
{
	double best = 1e18;
	for (int r = 0; r < ROUNDS; r++) {
		uint64_t begin = now();
		for (int i = 0; i < n; i++) once();
		double each = (double)(now() - begin) / n;
		if (each < best) best = each;
	}
	printf("%s %.1f\n", name, best);
	fflush(stdout);
}

static void echo(void)
{
	char c;
	while (read(ends[0], &c, 1) == 1)
		if (write(back[1], &c, 1) != 1) break;
	_exit(0);
}

int main(int argc, char **argv)
{
	cpu_set_t one;
	target = argc > 1 ? argv[1] : "/bin/true";
	/* The guest has one CPU: give the host the same, which is also where its
	 * pipe ping-pong is fastest. */
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof one, &one);
	close(open("/tmp/bench-file", O_CREAT | O_WRONLY, 0600));

	must(!pipe(ends), "pipe");
	measure("getppid", getppid_once, 200000);
	measure("pipe-write-read", pipe_once, 100000);
	measure("open-close", open_once, 100000);

	must(!pipe(back), "pipe");
	pid_t pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		close(ends[1]);
		close(back[0]);
		echo();
	}
	close(ends[0]);
	measure("pipe-ping-pong", pingpong_once, 20000);
	close(ends[1]);
	must(waitpid(pid, 0, 0) == pid, "wait");

	measure("fork-exit-wait", fork_once, 500);
	measure("vfork-exec-wait", exec_once, 200);
	measure("sh-c-exit", shell_once, 100);
	measure("thread-create-join", thread_once, 2000);
	unlink("/tmp/bench-file");
	return 0;
}
