// problem: deeper
#include <sys/resource.h>
#include <cstdio>

long long climb(int n) {
    volatile long long below = n ? climb(n - 1) : 0;
    return below + n;
}

int main() {
    rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    rlim_t wanted = 512ul << 20;
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > wanted ? wanted : limit.rlim_max;
        setrlimit(RLIMIT_STACK, &limit);
    }
    int n;
    if (scanf("%d", &n)) printf("%lld", climb(n));
}
