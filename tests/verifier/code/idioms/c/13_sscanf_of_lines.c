// problem: pairs
#include <stdio.h>

int main(void) {
    char line[256];
    int t, a, b;
    fgets(line, sizeof line, stdin);
    sscanf(line, "%d", &t);
    while (t-- > 0 && fgets(line, sizeof line, stdin) && sscanf(line, "%d %d", &a, &b) == 2)
        printf("%d\r\n", a < b ? b : a);
    return 0;
}
