// Wants memory that cannot be taken away, and huge pages.
// expect: MLE|RE
// limits: memory=64M
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
	mlockall(MCL_CURRENT | MCL_FUTURE);
	for (;;) {
		size_t size = 8 << 20;
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

		if (p == MAP_FAILED)
			p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
		if (p == MAP_FAILED)
			p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			abort();
		madvise(p, size, MADV_HUGEPAGE);
		memset(p, 1, size);
	}
}
