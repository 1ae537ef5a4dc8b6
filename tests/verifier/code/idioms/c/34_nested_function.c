// problem: fib
#include <stdio.h>

int main(void) {
    long memory[1001] = {0};
    long fib(int n) {
        if (n < 2) return n;
        if (memory[n]) return memory[n];
        return memory[n] = (fib(n - 1) + fib(n - 2)) % 1000000007;
    }
    int n;
    scanf("%i", &n);
    printf("%li\n", fib(n));
    return 0;
}
