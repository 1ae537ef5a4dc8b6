// Limits, priority, cores, memory policy and advice of processes that are not its own.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void tell(const char *what, int pid, long result)
{
	if (result >= 0)
		printf("reached: %s of %d\n", what, pid);
}

int main(void)
{
	int pids[] = { 1, 2, 3, 4, 5, getppid() };

	for (int n = 0; n < 6; n++) {
		int pid = pids[n];
		struct rlimit none = { 0, 0 }, told;
		struct sched_param idle = { 0 };
		unsigned long mask = 1;
		cpu_set_t one;
		struct iovec part = { (void *)0x400000, 4096 };

		if (pid == getpid() || pid == 0)
			continue;
		for (int what = 0; what < 16; what++) {
			tell("limit", pid, prlimit(pid, what, &none, NULL));
			tell("limit, reading,", pid, prlimit(pid, what, NULL, &told));
		}
		CPU_ZERO(&one);
		CPU_SET(0, &one);
		tell("cores", pid, sched_setaffinity(pid, sizeof one, &one));
		tell("policy", pid, sched_setscheduler(pid, SCHED_IDLE, &idle));
		tell("parameters", pid, sched_setparam(pid, &idle));
		tell("priority", pid, setpriority(PRIO_PROCESS, pid, 19));
		tell("io priority", pid, syscall(SYS_ioprio_set, 1, pid, 3 << 13));
		tell("pages, moved,", pid, syscall(SYS_migrate_pages, pid, 8, &mask, &mask));
		tell("pages, asked for,", pid, syscall(SYS_move_pages, pid, 0, NULL, NULL, NULL, 0));
		int fd = syscall(SYS_pidfd_open, pid, 0);
		if (fd >= 0) {
			tell("advice", pid, syscall(440, fd, &part, 1, MADV_DONTNEED, 0));
			tell("memory, reaped,", pid, syscall(448, fd, 0));
			close(fd);
		}
	}
	tell("group's priority", 0, setpriority(PRIO_PROCESS, 0, -20) == 0 ? 0 : -1);
	puts("contained");
	return 0;
}
