// Changes the executable that the next run starts from.
// expect: EXIT0
// tiers: T3
// prints: original
// runs: 3
// submissions: 2
#define _GNU_SOURCE
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char self[4096] = "", folder[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *paths[] = { self, argv[0], "/box/main", "/tmp/main", "/proc/self/exe" };

	(void)argc, (void)length;
	puts("original");
	fflush(stdout);
	int fd = open("/tmp/new", O_CREAT | O_WRONLY, 0777);
	if (write(fd, "#!/bin/sh\necho changed\n", 23) < 0)
		return 2;
	close(fd);
	for (int n = 0; n < 5; n++) {
		chmod(paths[n], 0777);
		fd = open(paths[n], O_WRONLY | O_TRUNC);
		if (fd >= 0 && write(fd, "#!/bin/sh\necho changed\n", 23) > 0)
			puts("reached: wrote");
		if (unlink(paths[n]) == 0)
			puts("reached: removed");
		if (rename("/tmp/new", paths[n]) == 0 && strncmp(paths[n], "/tmp/main", 9) != 0)
			puts("reached: renamed");
		snprintf(folder, sizeof folder, "%s", paths[n]);
		if (rename(dirname(folder), "/tmp/moved") == 0)
			puts("reached: moved");
	}
	unlink("/tmp/main");
	return 0;
}
