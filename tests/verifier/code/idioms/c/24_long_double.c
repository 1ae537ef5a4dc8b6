// problem: mean
#include <stdio.h>

int main(void) {
    int n, i = 0;
    long double sum = 0, x;
    scanf("%d", &n);
    do {
        scanf("%Lf", &x);
        sum += x;
    } while (++i < n);
    printf("%.3Lf", sum / n);
}
