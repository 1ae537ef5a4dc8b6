// problem: fib
#include <stdio.h>
#include <unistd.h>

int main(void) {
    int n;
    long a = 0, b = 1;
    scanf("%d", &n);
    while (n-- > 0) {
        long c = (a + b) % 1000000007L;
        a = b, b = c;
    }
    dprintf(STDOUT_FILENO, "%ld\n", a);
    _exit(0);
}
