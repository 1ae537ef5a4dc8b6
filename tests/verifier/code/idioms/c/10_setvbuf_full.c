// problem: huge
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    setvbuf(stdout, malloc(1 << 22), _IOFBF, 1 << 22);
    int n, x;
    if (scanf("%d", &n) != 1) return 1;
    while (n-- && scanf("%d", &x) == 1) printf("%d\n", x * 2);
    return 0;
}
