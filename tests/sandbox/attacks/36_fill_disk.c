// Bytes, names and levels, each until no more are given.
// expect: EXIT0|MLE
// tiers: T3
// prints: contained
// runs: 2
// limits: memory=128M cpu=3
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	static char data[1 << 20], name[256];
	long total = 0;

	signal(SIGXFSZ, SIG_IGN);
	for (int n = 0; n < 100; n++) {
		snprintf(name, sizeof name, "/tmp/big%d", n);
		int fd = open(name, O_CREAT | O_WRONLY, 0600);
		for (ssize_t one; fd >= 0 && (one = write(fd, data, sizeof data)) > 0;)
			if ((total += one) > 1L << 30) {
				puts("reached: 1 GiB");
				return 0;
			}
		close(fd);
	}
	for (int n = 0; n < 100; n++) {
		snprintf(name, sizeof name, "/tmp/big%d", n);
		unlink(name);
	}
	for (int n = 0; n < 10000; n++)
		if (mkdir("deeper", 0700) || chdir("deeper"))
			break;
	for (int n = 0; n < 1000000; n++) {
		snprintf(name, sizeof name, "%0250d", n);
		int fd = open(name, O_CREAT | O_WRONLY, 0600);
		if (fd < 0) {
			puts("contained");
			return 0;
		}
		close(fd);
	}
	puts("reached: 1000000 files");
	return 0;
}
