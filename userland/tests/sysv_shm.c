/* System V shared memory. */
#include "test.h"
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#define PAGE 4096

static int id;
static volatile int *p;

static int attached(void)
{
	struct shmid_ds ds;
	OK(shmctl(id, IPC_STAT, &ds));
	return ds.shm_nattch;
}

static void other(void)
{
	volatile int *q = OK(shmat(id, 0, 0));
	CHECK(q[3] == 33 && attached() == 3);
	q[4] = 44;
	OK(shmdt((void *)q));
	CHECK(attached() == 2);
}

static void reads(void)
{
	volatile int *q = OK(shmat(id, 0, SHM_RDONLY));
	CHECK(q[4] == 44);
	FAILS(mprotect((void *)q, PAGE, PROT_READ | PROT_WRITE), EACCES);
	q[4] = 1;
}

int main(void)
{
	struct shmid_ds ds;

	id = OK(shmget(IPC_PRIVATE, 2 * PAGE, IPC_CREAT | 0600));
	p = OK(shmat(id, 0, 0));
	CHECK(p[3] == 0 && attached() == 1);
	p[3] = 33;
	CHECK(exited(in_child(other), 0) && p[4] == 44 && attached() == 1);
	CHECK(killed(in_child(reads), SIGSEGV) && p[4] == 44 && attached() == 1);
	OK(shmctl(id, IPC_STAT, &ds));
	CHECK(ds.shm_segsz == 2 * PAGE && ds.shm_cpid == getpid());

	/* at an address: only where nothing is, or instead of it */
	char *room = OK(mmap(0, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	room[0] = 1;
	FAILS((long)shmat(id, room, 0), EINVAL);
	FAILS((long)shmat(id, room + 1, SHM_REMAP), EINVAL);
	int *q = OK(shmat(id, room, SHM_REMAP));
	CHECK((char *)q == room && q[3] == 33 && attached() == 2);
	FAILS(shmdt(room + PAGE), EINVAL);
	/* in parts, and all of them detached at once */
	OK(mprotect(q, PAGE, PROT_READ));
	OK(shmdt(q));
	FAILS(shmdt(q), EINVAL);
	CHECK(attached() == 1);

	/* removed: nobody finds it, who has it keeps it */
	OK(shmctl(id, IPC_RMID, 0));
	CHECK(p[4] == 44);
	OK(shmdt((void *)p));
	FAILS((long)shmat(id, 0, 0), EINVAL);

	FAILS(shmget(IPC_PRIVATE, 0, IPC_CREAT), EINVAL);
	id = OK(shmget(0x1234, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	FAILS(shmget(0x1234, PAGE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	CHECK(shmget(0x1234, PAGE, 0) == id);
	p = OK(shmat(id, 0, 0));
	p[0] = 1;
	OK(shmdt((void *)p));
	p = OK(shmat(id, 0, 0));
	CHECK(p[0] == 1);
	OK(shmctl(id, IPC_RMID, 0));
	return 0;
}
