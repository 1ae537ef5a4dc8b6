// Lets the kernel send them: on input of a pipe, on an expired lease, on a timer, by a terminal.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	int pids[] = { 1, 2, 3, 4, 5, getppid() };

	for (int n = 0; n < 6; n++) {
		int ends[2], pid = pids[n];
		timer_t timer;
		struct sigevent event;
		struct itimerspec soon = { { 0, 1000 }, { 0, 1000 } };

		if (pid == getpid() || pid == 0)
			continue;
		if (pipe(ends))
			return 2;
		for (int k = 0; k < 4; k++) {
			int fd = k < 2 ? ends[k] : k - 2; /* also its own standard streams, which others read */
			struct f_owner_ex owner = { F_OWNER_PID, pid };

			fcntl(fd, F_SETOWN, pid);
			fcntl(fd, F_SETOWN_EX, &owner);
			fcntl(fd, F_SETSIG, SIGKILL);
			int flags = fcntl(fd, F_GETFL);
			fcntl(fd, F_SETFL, flags | O_ASYNC);
		}
		if (write(ends[1], "x", 1) != 1)
			return 2;
		char byte;
		if (read(ends[0], &byte, 1) != 1)
			return 2;
		memset(&event, 0, sizeof event);
		event.sigev_notify = SIGEV_THREAD_ID;
		event.sigev_signo = SIGKILL;
		event._sigev_un._tid = pid;
		if (timer_create(CLOCK_REALTIME, &event, &timer) == 0) {
			printf("reached: a timer for %d\n", pid);
			timer_settime(timer, 0, &soon, NULL);
		}
		close(ends[0]);
		close(ends[1]);
	}
	usleep(100000);
	for (int n = 0; n < 6; n++)
		fcntl(n, F_SETOWN, 0);
	puts("contained");
	return 0;
}
