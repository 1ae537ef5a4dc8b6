// problem: copy
#include <stdio.h>

int main(void) {
    for (int c = getc(stdin); c != EOF; c = getc(stdin)) putc(c, stdout);
    return fflush(stdout);
}
