// problem: deeper
#include <stdio.h>

static int depth[1000001];

static void go(int node, int parent, int n) {
    depth[node] = node ? depth[parent] + 1 : 0;
    if (node < n) go(node + 1, node, n);
    depth[node] += depth[0];
}

int main(void) {
    int n;
    scanf("%d", &n);
    go(0, 0, n);
    long long sum = 0;
    for (int i = 0; i <= n; i++) sum += depth[i];
    printf("%lld\n", sum);
    return 0;
}
