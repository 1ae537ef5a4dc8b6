// problem: pairs
#include <stdio.h>
#define MAX(a, b) ((a) > (b) ? (a) : (b))

int main(void) {
    int t;
    for (scanf("%d\n", &t); t > 0; --t) {
        long a, b;
        scanf("%ld%ld", &a, &b);
        fprintf(stdout, "%ld\n", MAX(a, b));
        fflush(stdout);
    }
    return 0;
}
