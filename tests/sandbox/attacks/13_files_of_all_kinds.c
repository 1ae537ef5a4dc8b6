// Left in every place where somebody may look for output.
// expect: EXIT0
// prints: contained
// runs: 2
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int main(void)
{
	static const char *names[] = { "main", "a.out", "output", "program", "artifact", "stdout", "core", "result" };

	for (int n = 0; n < 8; n++) {
		char path[64];

		snprintf(path, sizeof path, "/tmp/%s", names[n]);
		switch (n % 4) {
		case 0: symlink("/etc/shadow", path); break;
		case 1: mkfifo(path, 0666); break;
		case 2: mkdir(path, 0000); break;
		default:
			if (mknod(path, S_IFCHR | 0666, makedev(1, 1)) == 0 && open(path, O_RDONLY) >= 0)
				puts("reached: a device");
			if (mknod(path, S_IFBLK | 0666, makedev(254, 0)) == 0 && open(path, O_RDONLY) >= 0)
				puts("reached: a disk");
		}
	}
	puts("contained");
	return 0;
}
