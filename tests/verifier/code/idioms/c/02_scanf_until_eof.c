// problem: messy
#include <stdio.h>

int main() {
    long total = 0, x;
    while (scanf("%ld", &x) != EOF) total += x;
    printf("%ld", total);
}
