// expect: EXIT0
// prints: contained
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

int main(void)
{
	struct stat info;

	signal(SIGXFSZ, SIG_IGN);
	int fd = open("/tmp/sparse", O_CREAT | O_RDWR, 0600);
	if (ftruncate(fd, 1L << 40) == 0)
		puts("reached: ftruncate");
	if (fallocate(fd, 0, 0, 1L << 36) == 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1L << 36) == 0)
		puts("reached: fallocate");
	if (pwrite(fd, "x", 1, 1L << 40) > 0 || copy_file_range(fd, NULL, fd, &(off_t){ 1L << 40 }, 1, 0) > 0)
		puts("reached: pwrite");
	if (fstat(fd, &info) == 0 && info.st_blocks > 1 << 18)
		puts("reached: blocks");
	puts("contained");
	return 0;
}
