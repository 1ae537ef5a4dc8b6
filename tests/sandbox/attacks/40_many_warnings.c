// A program that compiles, with more to say about it than is kept.
// expect: EXIT0
// prints: contained
#include <stdio.h>
#define W _Pragma("message \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"")
#define W10 W W W W W W W W W W
#define W100 W10 W10 W10 W10 W10 W10 W10 W10 W10 W10
W100 W100 W100 W100 W100 W100 W100 W100 W100 W100
int main(void) { puts("contained"); return 0; }
