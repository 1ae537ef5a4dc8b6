// problem: sorted
#include <stdio.h>
#include <stdlib.h>

static int compare(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

int main(void) {
    int n;
    scanf("%d", &n);
    int values[n];
    for (int i = 0; i < n; i++) scanf("%d", &values[i]);
    qsort(values, n, sizeof *values, compare);
    for (int i = 0; i < n; i++) printf(i == n - 1 ? "%d\n" : "%d ", values[i]);
}
