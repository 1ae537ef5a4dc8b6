// problem: first
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    long n;
    if (scanf("%ld", &n) == 1) {
        printf("%ld\n", n * n);
        exit(EXIT_SUCCESS);
    }
    return 1;
}
