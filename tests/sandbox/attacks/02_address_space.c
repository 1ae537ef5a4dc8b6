// Address space alone is free: a terabyte that is never touched costs nothing.
// expect: EXIT0
// prints: contained
// expect@T1: EXIT0|RE
// expect@T2: EXIT0|RE
// limits: memory=64M
#include <stdio.h>
#include <sys/mman.h>

int main(void)
{
	mmap(NULL, 1UL << 40, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	puts("contained");
}
