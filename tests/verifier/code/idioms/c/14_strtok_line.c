// problem: sum
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    static char line[1000000];
    int n = atoi(fgets(line, sizeof line, stdin));
    long long sum = 0;
    fgets(line, sizeof line, stdin);
    char *word = strtok(line, " ");
    for (int i = 0; i < n && word; i++, word = strtok(NULL, " ")) sum += atoll(word);
    printf("%lld\n\n\n", sum);
    return 0;
}
