// problem: first
#include <stdio.h>
#include <stdlib.h>

static long n;

static void last(void) { printf("%ld", n * n); }

int main(void) {
    atexit(last);
    return scanf("%ld", &n) != 1;
}
