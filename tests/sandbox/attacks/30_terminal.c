// There is no terminal to type into, and none to be had.
// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int main(void)
{
	static const char *paths[] = { "/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ptmx", "/dev/pts/ptmx", "/dev/pts/0", "/dev/ttyS0", "/dev/vcs" };
	char byte = '\n';

	for (int n = 0; n < 9; n++) {
		int fd = open(paths[n], O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (fd < 0)
			continue;
		printf("reached: %s\n", paths[n]);
		if (ioctl(fd, TIOCSTI, &byte) == 0)
			printf("reached: types into %s\n", paths[n]);
	}
	for (int fd = 0; fd < 3; fd++) {
		int subcode = 3;
		if (isatty(fd))
			printf("reached: %d is a terminal\n", fd);
		/* The upper half of the request is not the kernel's, but may be a filter's. */
		if (ioctl(fd, TIOCSTI, &byte) == 0 || ioctl(fd, TIOCSTI | (1UL << 32), &byte) == 0)
			printf("reached: types into %d\n", fd);
		if (ioctl(fd, TIOCLINUX, &subcode) == 0 || ioctl(fd, TIOCSCTTY, 1) == 0 || ioctl(fd, TIOCCONS) == 0)
			printf("reached: controls %d\n", fd);
	}
	if (posix_openpt(O_RDWR) >= 0)
		puts("reached: a terminal of its own");
	puts("contained");
	return 0;
}
