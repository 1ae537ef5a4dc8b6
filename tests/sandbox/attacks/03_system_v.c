// Segments that outlive their makers.
// expect: EXIT0
// prints: contained
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

int main(void)
{
	if (shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600) >= 0 || shmget(0x7057, 4096, IPC_CREAT | 0666) >= 0)
		puts("reached: shared memory");
	if (semget(0x7057, 8, IPC_CREAT | 0666) >= 0)
		puts("reached: semaphores");
	if (msgget(0x7057, IPC_CREAT | 0666) >= 0)
		puts("reached: messages");
	puts("contained");
}
