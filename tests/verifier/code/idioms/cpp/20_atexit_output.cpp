// problem: first
#include <cstdio>
#include <cstdlib>

static long long answer;

static void report() { printf("%lld\n", answer); }

int main() {
    atexit(report);
    long long n;
    scanf("%lld", &n);
    answer = n * n;
    return EXIT_SUCCESS;
}
