// Makes the pipes' own flags and sizes odd: whoever reads them must not wait or stop.
// expect: EXIT0
// prints: contained
// runs: 2
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	for (int fd = 0; fd < 3; fd++) {
		fcntl(fd, F_SETPIPE_SZ, 4096);
		fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC | O_DIRECT | O_APPEND);
		fcntl(fd, F_SETLEASE, F_WRLCK);
		fcntl(fd, F_NOTIFY, 7);
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	puts("contained");
	fflush(stdout);
	return 0;
}
