#include <string.h>
#include <sys/mman.h>
#include "pthread_impl.h"

/* Stacks of joined threads, kept for new ones: a mapping, its protection and
 * the faults of its first pages cost more than all the rest of a thread. A slot
 * holds the dead thread, whose memory says how large it is. Slots are taken and
 * filled by single atomic operations, so a fork at any time is fine. */
#define SLOTS 8
/* What is kept is address space that the program could use otherwise. */
#define LARGEST (1<<20)

static volatile int slots[SLOTS];

void __keep_stack(pthread_t t)
{
	if (t->map_size <= LARGEST)
		for (int i=0; i<SLOTS; i++)
			if (!slots[i] && !a_cas(&slots[i], 0, (int)t)) return;
	__munmap(t->map_base, t->map_size);
}

/* A mapping of this size, with this guard; its last used bytes are zero. */
unsigned char *__kept_stack(size_t size, size_t guard, size_t used)
{
	for (int i=0; i<SLOTS; i++) {
		pthread_t t = (pthread_t)a_swap(&slots[i], 0);
		if (!t) continue;
		if (t->map_size == size && t->guard_size == guard) {
			unsigned char *map = t->map_base;
			memset(map + size - used, 0, used);
			return map;
		}
		if (a_cas(&slots[i], 0, (int)t))
			__munmap(t->map_base, t->map_size);
	}
	return 0;
}
