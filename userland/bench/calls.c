/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Costs of kernel calls and process operations: see serve.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>
#include "serve.h"

#define FILE_NAME "/tmp/wasmlinux-bench"

/* This program: argv[1] tells it to end at once. */
static char *self;
static int ends[2], back[2];

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
	int fd = open(FILE_NAME, O_RDONLY);
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
	char *argv[] = { self, "nothing", 0 }, *envp[] = { 0 };
	pid_t pid = vfork();
	must(pid >= 0, "vfork");
	if (!pid) {
		execve(self, argv, envp);
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

static double mean(void (*once)(void), int n)
{
	uint64_t begin = now();
	for (int i = 0; i < n; i++) once();
	return (double)(now() - begin) / n;
}

/* Each row: how often the call is made, for a tenth of a second or so. */
static double getppid_row(void) { return mean(getppid_once, 1000000); }
static double open_row(void) { return mean(open_once, 200000); }
static double fork_row(void) { return mean(fork_once, 1000); }
static double exec_row(void) { return mean(exec_once, 200); }
static double shell_row(void) { return mean(shell_once, 100); }
static double thread_row(void) { return mean(thread_once, 5000); }

static double pipe_row(void)
{
	must(!pipe(ends), "pipe");
	double each = mean(pipe_once, 300000);
	close(ends[0]);
	close(ends[1]);
	return each;
}

static double pingpong_row(void)
{
	char c;
	must(!pipe(ends) && !pipe(back), "pipe");
	pid_t pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		close(ends[1]);
		close(back[0]);
		while (read(ends[0], &c, 1) == 1)
			if (write(back[1], &c, 1) != 1) break;
		_exit(0);
	}
	close(ends[0]);
	close(back[1]);
	double each = mean(pingpong_once, 50000);
	close(ends[1]);
	close(back[0]);
	must(waitpid(pid, 0, 0) == pid, "wait");
	return each;
}

static const struct row rows[] = {
	{ "getppid", getppid_row },
	{ "pipe", pipe_row },
	{ "open", open_row },
	{ "ping-pong", pingpong_row },
	{ "fork", fork_row },
	{ "exec", exec_row },
	{ "sh", shell_row },
	{ "thread", thread_row },
	{ 0 }
};

int main(int argc, char **argv)
{
	cpu_set_t one;

	if (argc > 1) return 0;
	self = argv[0];
	/* The guest has one CPU: give the host the same, which is also where its
	 * pipe ping-pong is fastest. */
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof one, &one);
	close(open(FILE_NAME, O_CREAT | O_WRONLY, 0600));
	int code = serve(rows);
	unlink(FILE_NAME);
	return code;
}
