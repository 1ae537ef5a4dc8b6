// problem: sorted
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    size_t count = 0, room = 0;
    int *values = NULL, n, x;
    scanf("%d", &n);
    while (scanf("%d", &x) == 1) {
        if (count == room) {
            room = room ? 2 * room : 4;
            values = realloc(values, room * sizeof *values);
            if (!values) abort();
        }
        size_t at = count++;
        for (; at > 0 && values[at - 1] > x; at--) values[at] = values[at - 1];
        values[at] = x;
    }
    for (size_t i = 0; i < count; i++) printf("%d ", values[i]);
    free(values);
    return 0;
}
