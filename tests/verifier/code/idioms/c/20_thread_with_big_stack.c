// problem: deeper
#include <pthread.h>
#include <stdio.h>

static long long climb(int n) {
    volatile long long own = n;
    return n == 0 ? 0 : own + climb(n - 1);
}

static void *work(void *argument) {
    int n;
    (void)argument;
    scanf("%d", &n);
    printf("%lld\n", climb(n));
    return NULL;
}

int main(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)256 << 20);
    if (pthread_create(&thread, &attributes, work, NULL)) return 1;
    pthread_join(thread, NULL);
    return 0;
}
