// Traces whoever started it, a sibling, and a child that has become something else.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char data[16];
	struct iovec here = { data, sizeof data };
	pid_t pids[] = { getppid(), 1, 2, 3, 4, 5, 0 };

	pids[6] = fork();
	if (pids[6] == 0) {
		sleep(60);
		_exit(0);
	}
	for (int n = 0; n < 7; n++) {
		pid_t pid = pids[n];
		if (pid == getpid() || pid <= 0)
			continue;
		if (ptrace(PTRACE_ATTACH, pid, 0, 0) == 0)
			printf("reached: attach %d\n", n);
		if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0)
			printf("reached: seize %d\n", n);
		if (n == 6)
			continue; /* its own child's memory may be read */
		for (unsigned long at = 0x400000; at < 0x500000; at += 0x10000) {
			struct iovec there = { (void *)at, sizeof data };
			if (process_vm_readv(pid, &here, 1, &there, 1, 0) > 0)
				printf("reached: read %d\n", n);
			if (process_vm_writev(pid, &here, 1, &there, 1, 0) > 0)
				printf("reached: wrote %d\n", n);
		}
		int fd = syscall(SYS_pidfd_open, pid, 0);
		for (int k = 0; k < 16; k++)
			if (fd >= 0 && syscall(SYS_pidfd_getfd, fd, k, 0) >= 0)
				printf("reached: descriptor %d of %d\n", k, n);
		for (int k = 0; k < 5; k++)
			if (syscall(SYS_kcmp, getpid(), pid, k, 0, 0) >= 0)
				printf("reached: kcmp %d of %d\n", k, n);
	}
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0)
		puts("reached: traceme");
	puts("contained");
	return 0;
}
