// No descriptor but the three; what they are pipes to cannot be opened again for the other side.
// expect: EXIT0
// prints: contained
// runs: 2
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

int main(void)
{
	char path[64], data[16];
	struct stat info;

	for (int fd = 3; fd < 65536; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("reached: %d is open\n", fd);
	for (int fd = 0; fd < 3; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (fstat(fd, &info) || !(S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode)))
			printf("reached: %d has mode %o\n", fd, info.st_mode);
		if (fd && read(fd, data, sizeof data) >= 0)
			printf("reached: reads %d\n", fd);
		if (!fd && write(fd, data, 1) >= 0)
			printf("reached: writes %d\n", fd);
		int again = open(path, (fd ? O_RDONLY : O_WRONLY) | O_NONBLOCK);
		if (again >= 0 && fd && read(again, data, sizeof data) > 0)
			printf("reached: reads back %d\n", fd);
	}
	puts("contained");
	return 0;
}
