// problem: echo
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, stdin)) != -1) fwrite(line, 1, (size_t)length, stdout);
    free(line);
    return EXIT_SUCCESS;
}
