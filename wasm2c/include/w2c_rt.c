/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE
#define W2C_MODE W2C_MODE_BASE
#define W2C_CODE
#include "w2c.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* Any 32-bit address plus any 32-bit offset plus the widest access. */
#define RESERVED ((2ull << 32) + W2C_PAGE)

static void out_of_memory(const char *what)
{
	fprintf(stderr, "wasm2c: the host has no memory for a %s\n", what);
	abort();
}

__attribute__((aligned(8))) u8 w2c_no_memory[W2C_PENDING_OFFSET];

_Thread_local struct w2c_pending w2c_pending;

/* ---- memories -------------------------------------------------------------- */

void w2c_memory_new(struct w2c_memory *memory, u32 pages, u32 max_pages, u32 shared)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	u8 *base = mmap(NULL, W2C_CTX_OFFSET + RESERVED, PROT_NONE, flags, -1, 0);

	if (base == MAP_FAILED)
		out_of_memory("memory's address space");
	memory->data = base + W2C_CTX_OFFSET;
	memory->pages = 0;
	memory->max_pages = max_pages > 65536 ? 65536 : max_pages;
	memory->shared = shared;
	memory->limited = max_pages != UINT32_MAX;
	if (mprotect(base, W2C_CTX_OFFSET, PROT_READ | PROT_WRITE) ||
	    w2c_memory_grow(memory, pages) == UINT32_MAX)
		out_of_memory("memory");
}

void w2c_memory_free(struct w2c_memory *memory)
{
	munmap(memory->data - W2C_CTX_OFFSET, W2C_CTX_OFFSET + RESERVED);
	memory->data = NULL;
}

u32 w2c_memory_grow(struct w2c_memory *memory, u32 pages)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	u32 old;

	pthread_mutex_lock(&lock);
	old = memory->pages;
	if ((u64)old + pages > memory->max_pages ||
	    mprotect(memory->data + (u64)old * W2C_PAGE, (u64)pages * W2C_PAGE, PROT_READ | PROT_WRITE))
		old = UINT32_MAX;
	else
		memory->pages = old + pages;
	pthread_mutex_unlock(&lock);
	return old;
}

/* ---- tables ---------------------------------------------------------------- */

static void check(u64 at, u64 n, u64 size)
{
	if (at + n > size)
		w2c_trap(W2C_TRAP_TABLE);
}

void w2c_table_new(struct w2c_table *table, u32 size, u32 max)
{
	table->elems = calloc(size ? size : 1, sizeof(w2c_ref));
	if (!table->elems)
		out_of_memory("table");
	table->size = size;
	table->max = max;
}

void w2c_table_free(struct w2c_table *table)
{
	free(table->elems);
	table->elems = NULL;
	table->size = 0;
}

u32 w2c_table_grow(struct w2c_table *table, u32 n, w2c_ref value)
{
	u32 old = table->size;
	w2c_ref *elems;

	if ((u64)old + n > table->max)
		return UINT32_MAX;
	if (!n)
		return old;
	elems = realloc(table->elems, ((size_t)old + n) * sizeof(*elems));
	if (!elems)
		return UINT32_MAX;
	table->elems = elems;
	table->size = old + n;
	for (u32 i = old; i < old + n; i++)
		elems[i] = value;
	return old;
}

void w2c_table_fill(struct w2c_table *table, u32 at, w2c_ref value, u32 n)
{
	check(at, n, table->size);
	for (u32 i = 0; i < n; i++)
		table->elems[at + i] = value;
}

void w2c_table_copy(struct w2c_table *to, struct w2c_table *from, u32 d, u32 s, u32 n)
{
	check(d, n, to->size);
	check(s, n, from->size);
	memmove(to->elems + d, from->elems + s, n * sizeof(w2c_ref));
}

void w2c_table_init(struct w2c_table *table, const w2c_ref *items, u32 len, u32 d, u32 s, u32 n)
{
	check(s, n, len);
	check(d, n, table->size);
	for (u32 i = 0; i < n; i++)
		table->elems[d + i] = items[s + i];
}

/* ---- types ------------------------------------------------------------------ */

u32 w2c_type_id(const char *sig)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static char **known;
	static u32 count;
	u32 id;

	pthread_mutex_lock(&lock);
	for (id = 0; id < count && strcmp(known[id], sig); id++)
		;
	if (id == count) {
		known = realloc(known, (count + 1) * sizeof(*known));
		if (!known || !(known[count] = strdup(sig)))
			out_of_memory("type");
		count++;
	}
	pthread_mutex_unlock(&lock);
	return id + 1;
}

/* ---- wait and notify ---------------------------------------------------------- */

/* One lock and one list for all memories: correct, and rare. */
static pthread_mutex_t wait_lock = PTHREAD_MUTEX_INITIALIZER;
static struct waiter {
	struct waiter *next;
	void *addr;
	int woken;
	pthread_cond_t cond;
} *waiters;

/* Called with the lock held, when the value is the expected one. */
static u32 sleep_on(void *addr, s64 timeout)
{
	struct waiter self = { .addr = addr }, **link;
	struct timespec until;
	pthread_condattr_t attr;
	int err = 0;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&self.cond, &attr);
	pthread_condattr_destroy(&attr);
	/* At the end: notify wakes in the order of waiting. */
	for (link = &waiters; *link; link = &(*link)->next)
		;
	*link = &self;
	if (timeout >= 0) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += timeout / 1000000000;
		until.tv_nsec += timeout % 1000000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
	}
	while (!self.woken && err != ETIMEDOUT)
		err = timeout < 0 ? pthread_cond_wait(&self.cond, &wait_lock)
				  : pthread_cond_timedwait(&self.cond, &wait_lock, &until);
	for (link = &waiters; *link && *link != &self; link = &(*link)->next)
		;
	if (*link)
		*link = self.next;
	pthread_cond_destroy(&self.cond);
	return self.woken ? 0 : 2;
}

u32 w2c_wait32(void *addr, u32 expected, s64 timeout)
{
	u32 result = 1;

	pthread_mutex_lock(&wait_lock);
	if (__atomic_load_n((u32 *)addr, __ATOMIC_SEQ_CST) == expected)
		result = sleep_on(addr, timeout);
	pthread_mutex_unlock(&wait_lock);
	return result;
}

u32 w2c_wait64(void *addr, u64 expected, s64 timeout)
{
	u32 result = 1;

	pthread_mutex_lock(&wait_lock);
	if (__atomic_load_n((u64 *)addr, __ATOMIC_SEQ_CST) == expected)
		result = sleep_on(addr, timeout);
	pthread_mutex_unlock(&wait_lock);
	return result;
}

u32 w2c_notify(void *addr, u32 count)
{
	u32 woken = 0;

	pthread_mutex_lock(&wait_lock);
	for (struct waiter *w = waiters; w && woken < count; w = w->next) {
		if (w->addr == addr && !w->woken) {
			w->woken = 1;
			pthread_cond_signal(&w->cond);
			woken++;
		}
	}
	pthread_mutex_unlock(&wait_lock);
	return woken;
}
