// problem: sorted
#include <bits/stdc++.h>
const int N = 5000005;
int a[N], counts[20 * 1000 * 1000];
int n;

int main() {
    scanf("%d", &n);
    for (int i = 1; i <= n; ++i) {
        scanf("%d", a + i);
        counts[a[i] + 10000000]++;
    }
    for (int value = 0; value < 20 * 1000 * 1000; ++value)
        for (int k = 0; k < counts[value]; ++k) printf("%d ", value - 10000000);
}
