// problem: big
#include <stdio.h>

static void print(unsigned __int128 x) {
    if (x > 9) print(x / 10);
    putchar('0' + (int)(x % 10));
}

int main(void) {
    long long a, b;
    scanf("%lld%lld", &a, &b);
    __int128 product = (__int128)a * b;
    if (product < 0) {
        putchar('-');
        product = -product;
    }
    print(product);
    putchar('\n');
}
