// problem: mean
#include <math.h>
#include <stdio.h>

int main(void) {
    int n;
    double x, sum = 0;
    scanf("%d", &n);
    for (int i = 0; i < n; i++) {
        scanf("%lf", &x);
        sum += x;
    }
    printf("%.3f\n", round(sum / n * 1000) / 1000);
    return 0;
}
