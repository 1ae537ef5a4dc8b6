// problem: sum
#include <cstdio>

int main() {
    int n;
    long long sum = 0, x;
    if (scanf("%d", &n) != 1) return 0;
    while (n--) {
        if (scanf("%lld", &x) == 1) sum += x;
    }
    printf("%lld\n", sum);
}
