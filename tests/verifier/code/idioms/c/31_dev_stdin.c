// problem: messy
#include <stdio.h>

int main(void) {
    FILE *in = fopen("/dev/stdin", "r");
    if (!in) return 1;
    long total = 0, x;
    while (fscanf(in, "%ld", &x) == 1) total += x;
    fclose(in);
    fprintf(stdout, "%ld\n", total);
    return 0;
}
