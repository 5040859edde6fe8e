/* System V message queues and semaphores. */
#include "test.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

union semun { int val; struct semid_ds *buf; unsigned short *array; };

int main(void)
{
	struct { long type; char text[16]; } m = { 2, "two" };
	struct msqid_ds qs;
	struct semid_ds ss;
	int status;

	int q = OK(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
	OK(msgsnd(q, &m, 4, 0));
	m.type = 1;
	strcpy(m.text, "one");
	OK(msgsnd(q, &m, 4, 0));
	OK(msgctl(q, IPC_STAT, &qs));
	CHECK(qs.msg_qnum == 2 && qs.msg_lspid == getpid() && qs.msg_stime > 1600000000);
	CHECK(msgrcv(q, &m, 16, 1, 0) == 4 && !strcmp(m.text, "one"));
	CHECK(msgrcv(q, &m, 16, 0, 0) == 4 && m.type == 2);
	FAILS(msgrcv(q, &m, 16, 0, IPC_NOWAIT), ENOMSG);
	OK(msgctl(q, IPC_RMID, 0));

	int s = OK(semget(IPC_PRIVATE, 2, IPC_CREAT | 0600));
	OK(semctl(s, 0, SETVAL, (union semun){ .val = 0 }));
	pid_t pid = OK(fork());
	if (!pid) {
		OK(semop(s, (struct sembuf[]){ { 0, -2, 0 }, { 1, 1, 0 } }, 2));
		_exit(0);
	}
	OK(semop(s, &(struct sembuf){ 0, 1, 0 }, 1));
	OK(semop(s, &(struct sembuf){ 0, 1, 0 }, 1));
	OK(semop(s, &(struct sembuf){ 1, -1, 0 }, 1));
	OK(waitpid(pid, &status, 0));
	CHECK(exited(status, 0) && semctl(s, 0, GETVAL) == 0);
	OK(semctl(s, 0, IPC_STAT, (union semun){ .buf = &ss }));
	CHECK(ss.sem_nsems == 2 && ss.sem_otime > 1600000000);
	FAILS(semop(s, &(struct sembuf){ 0, -1, IPC_NOWAIT }, 1), EAGAIN);
	/* An int where a union should be: many a program does it. */
	OK(semctl(s, 0, SETVAL, 32767));
	CHECK(semctl(s, 0, GETVAL) == 32767);
	OK(semctl(s, 0, SETVAL, 0));
	CHECK(semctl(s, 0, GETVAL) == 0);
	FAILS(semctl(s, 0, SETVAL, 32768), ERANGE);
	FAILS(semctl(s, 0, SETVAL, -1), ERANGE);
	OK(semctl(s, 0, SETALL, (union semun){ .array = (unsigned short[]){ 3, 4 } }));
	CHECK(semctl(s, 1, GETVAL) == 4);
	OK(semctl(s, 0, IPC_RMID));
	return 0;
}
