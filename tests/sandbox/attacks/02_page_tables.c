// Touches one byte of every 2 MiB: the kernel's own tables grow, not the program.
// expect: MLE|RE|CPU
// limits: memory=64M cpu=1
#include <stdio.h>
#include <sys/mman.h>

int main(void)
{
	for (;;) {
		unsigned long size = 1UL << 36;
		volatile char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED)
			return 1;
		for (unsigned long at = 0; at < size; at += 2 << 20)
			(void)p[at];
	}
}
