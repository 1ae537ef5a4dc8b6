// Whatever is on the compiler's own standard input: nothing, or no answer.
// expect: CE|EXIT0
// prints: contained
#include "/dev/stdin"
#include "/dev/fd/0"
#include <stdio.h>
int main(void) { puts("contained"); return 0; }
