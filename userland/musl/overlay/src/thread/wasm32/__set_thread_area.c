#include "pthread_impl.h"

int __set_thread_area(void *p)
{
	__set_tp((uintptr_t)p);
	return 0;
}
