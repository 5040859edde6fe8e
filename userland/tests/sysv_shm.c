/* System V shared memory. */
#include "test.h"
#include <sys/ipc.h>
#include <sys/shm.h>

static int id;
static void other(void)
{
	volatile int *p = OK(shmat(id, 0, 0));
	CHECK(p[3] == 33);
	p[4] = 44;
	OK(shmdt((void *)p));
}

int main(void)
{
	struct shmid_ds ds;

	id = OK(shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600));
	volatile int *p = OK(shmat(id, 0, 0));
	CHECK(p[3] == 0);
	p[3] = 33;
	CHECK(exited(in_child(other), 0) && p[4] == 44);
	OK(shmctl(id, IPC_STAT, &ds));
	CHECK(ds.shm_segsz == 8192 && ds.shm_nattch == 1 && ds.shm_cpid == getpid());
	OK(shmctl(id, IPC_RMID, 0));
	CHECK(p[4] == 44);
	OK(shmdt((void *)p));
	FAILS((long)shmat(id, 0, 0), EINVAL);
	return 0;
}
