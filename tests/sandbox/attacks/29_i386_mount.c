// Number 21 is mount there, and access here; 11 is execve and munmap.
// expect: SIG31|SIG11
// machine: x86_64
int main(void)
{
#ifdef __x86_64__
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(21L), "b"(0L), "c"(0L), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(11L), "b"(0L), "c"(0L), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
#endif
	return 0;
}
