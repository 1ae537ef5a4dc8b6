// Signals by every system call there is, to every process that may be around.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void tell(const char *how, int pid, int number, long result)
{
	if (result == 0)
		printf("reached: %s %d with %d\n", how, pid, number);
}

int main(void)
{
	static const int numbers[] = { SIGKILL, SIGSTOP, SIGTERM, SIGSEGV, SIGSYS, 0 };
	int pids[] = { 1, 2, 3, 4, 5, getppid() };

	for (int n = 0; n < 6; n++)
		for (int k = 0; k < 6; k++) {
			int pid = pids[n], number = numbers[k];
			siginfo_t info;

			if (pid == getpid() || pid == 0)
				continue;
			memset(&info, 0, sizeof info);
			info.si_code = SI_QUEUE;
			tell("kill", pid, number, kill(pid, number));
			tell("tkill", pid, number, syscall(SYS_tkill, pid, number));
			tell("tgkill", pid, number, syscall(SYS_tgkill, pid, pid, number));
			tell("sigqueue", pid, number, syscall(SYS_rt_sigqueueinfo, pid, number, &info));
			tell("tgsigqueue", pid, number, syscall(SYS_rt_tgsigqueueinfo, pid, pid, number, &info));
			int fd = syscall(SYS_pidfd_open, pid, 0);
			if (fd >= 0) {
				tell("pidfd", pid, number, syscall(SYS_pidfd_send_signal, fd, number, NULL, 0));
				tell("pidfd group", pid, number, syscall(SYS_pidfd_send_signal, fd, number, NULL, 4));
				close(fd);
			}
			if (pid > 1)
				tell("group", pid, number, kill(-pid, number));
		}
	puts("contained");
	return 0;
}
