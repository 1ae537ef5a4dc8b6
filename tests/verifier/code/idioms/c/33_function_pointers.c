// problem: fib
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

enum { MOD = 1000000007 };
typedef uint64_t (*step)(uint64_t, uint64_t);

static uint64_t add(uint64_t a, uint64_t b) { return (a + b) % MOD; }

int main(void) {
    uint64_t table[1001] = {0, 1};
    step next = add;
    int n;
    if (scanf("%d", &n) < 1) return 1;
    for (int i = 2; i <= n; i++) table[i] = next(table[i - 1], table[i - 2]);
    printf("%" PRIu64 "\n", table[n]);
}
