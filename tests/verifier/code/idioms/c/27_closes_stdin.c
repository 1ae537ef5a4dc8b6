// problem: first
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    char line[32];
    if (!fgets(line, sizeof line, stdin)) return 2;
    fclose(stdin);
    long n = strtol(line, NULL, 10);
    fprintf(stderr, "n = %ld\n", n);
    printf("%ld\n", n * n);
    fclose(stdout);
    return 0;
}
