// Runs that leave each other notes in whatever all of them see.
// expect: EXIT0
// prints: contained
// runs: 3
// submissions: 2
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

int main(void)
{
	static const char *places[] = { "/", "/tmp", "/box", "/dev", "/proc", "/usr", "/dev/null", "/bin/sh" };

	for (unsigned n = 0; n < sizeof places / sizeof *places; n++) {
		char path[256], value[64];
		struct stat info;

		snprintf(path, sizeof path, "%s/.mailbox", places[n]);
		if (stat(path, &info) == 0)
			printf("reached: %s\n", path);
		int fd = open(path, O_CREAT | O_WRONLY, 0666);
		if (fd >= 0)
			close(fd);
		if (getxattr(places[n], "user.mailbox", value, sizeof value) >= 0)
			printf("reached: attribute of %s\n", places[n]);
		setxattr(places[n], "user.mailbox", "1", 1, 0);
		struct timespec times[2] = { { 7, 7 }, { 7, 7 } };
		if (stat(places[n], &info) == 0 && info.st_mtim.tv_sec == 7)
			printf("reached: time of %s\n", places[n]);
		utimensat(AT_FDCWD, places[n], times, 0);
		if (stat(places[n], &info) == 0 && info.st_mode & S_ISVTX && strcmp(places[n], "/tmp"))
			printf("reached: mode of %s\n", places[n]);
		if (strcmp(places[n], "/tmp"))
			chmod(places[n], 01777);
		fd = open(places[n], O_RDONLY);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
			printf("reached: lock of %s\n", places[n]);
	}
	puts("contained");
	fflush(stdout);
	if (fork() == 0) {
		setsid();
		sleep(60);
	}
	return 0;
}
