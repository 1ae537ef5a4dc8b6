// The system calls of another machine, by which a filter of numbers would be passed by.
// expect: SIG31|SIG11
// machine: x86_64
#include <stdio.h>

int main(void)
{
	long result = -38;

#ifdef __x86_64__
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
#endif
	printf("reached: getpid of i386 says %ld\n", result);
	return 0;
}
