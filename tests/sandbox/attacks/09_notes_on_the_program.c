// A large program that leaves notes on its own file, which the next run executes too.
// expect: EXIT0
// prints: contained
// runs: 3
// submissions: 2
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char filler[600000] = { 1 };

int main(void)
{
	const char *self = "/proc/self/exe";
	struct timespec times[2] = { { 7, 7 }, { 7, 7 } };
	struct stat info;
	char value[8];

	if (getxattr(self, "user.note", value, sizeof value) >= 0)
		puts("reached: attribute");
	setxattr(self, "user.note", "1", 1, 0);
	if (stat(self, &info) == 0 && info.st_mtim.tv_sec == 7)
		puts("reached: time");
	utimensat(AT_FDCWD, self, times, 0);
	if (stat(self, &info) == 0 && (info.st_mode & 0222 & ~0200) && chmod(self, 0755) == 0)
		puts("reached: mode");
	if (open(self, O_RDWR) >= 0 || truncate(self, 0) == 0)
		puts("reached: writable");
	int fd = open(self, O_RDONLY);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
		puts("reached: lock");
	if (fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
		puts("reached: lease");
	if (fd >= 0 && mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
		puts("reached: shared mapping");
	puts(filler[0] ? "contained" : "");
	return 0;
}
