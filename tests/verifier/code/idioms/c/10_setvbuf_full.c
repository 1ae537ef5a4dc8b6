// problem: pairs
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    char *buffer = malloc(1 << 22);
    setvbuf(stdout, buffer, _IOFBF, 1 << 22);
    int t, a, b;
    if (scanf("%d", &t) != 1) return 1;
    while (t-- && scanf("%d%d", &a, &b) == 2) printf("%d\n", a >= b ? a : b);
    return 0;
}
