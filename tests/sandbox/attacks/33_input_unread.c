// expect: EXIT0
// prints: 7
// stdin_bytes: 16M
#include <stdio.h>

int main(void)
{
	putchar(getchar());
	return 0;
}
