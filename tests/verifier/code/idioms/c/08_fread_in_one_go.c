// problem: huge
#include <stdio.h>
#include <stdlib.h>

static char in[32 << 20];

int main(void) {
    size_t size = fread(in, 1, sizeof in - 1, stdin);
    in[size] = '\0';
    char *at = in;
    long n = strtol(at, &at, 10);
    while (n-- > 0) printf("%ld\n", 2 * strtol(at, &at, 10));
}
