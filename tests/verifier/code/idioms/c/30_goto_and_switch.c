// problem: messy
#include <stdio.h>

int main(void) {
    long total = 0, value = 0, sign = 1;
    int c;
again:
    switch (c = getchar()) {
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        value = 10 * value + c - '0';
        goto again;
    case '-':
        sign = -1;
        goto again;
    default:
        total += sign * value;
        value = 0, sign = 1;
        if (c != EOF) goto again;
    }
    printf("%ld\n", total);
    return 0;
}
