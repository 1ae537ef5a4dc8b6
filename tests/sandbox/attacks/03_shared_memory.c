// Shared anonymous memory and memory files, mapped in many processes.
// expect: MLE
// limits: memory=40M
// stdin: a
// stdin: f
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	int kind = getchar();
	size_t size = 60 << 20; /* within the limit of a file */
	char *p;

	if (kind == 'a') {
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	} else {
		int fd = memfd_create("x", 0);
		if (ftruncate(fd, size))
			return 1;
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	if (p == MAP_FAILED)
		return 1;
	for (int n = 0; n < 3; n++)
		fork();
	memset(p, 1, size);
	puts("reached");
}
