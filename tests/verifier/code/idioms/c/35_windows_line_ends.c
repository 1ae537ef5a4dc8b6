// problem: pairs
#include <stdio.h>
#define LARGER(a, b) \
    ((a) > (b)       \
         ? (a)       \
         : (b))

int main(void) {
    int t, a, b;
    scanf("%d", &t);
    while (t--) scanf("%d%d", &a, &b), printf("%d\n", LARGER(a, b));
    return 0;
}
