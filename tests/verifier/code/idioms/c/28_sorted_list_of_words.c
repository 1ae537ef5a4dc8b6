// problem: words
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct word {
    struct word *next;
    unsigned count;
    char text[];
} word;

int main(void) {
    word *first = NULL;
    char text[256];
    while (scanf("%255s", text) == 1) {
        word **at = &first;
        while (*at && strcmp((*at)->text, text) < 0) at = &(*at)->next;
        if (*at && !strcmp((*at)->text, text)) {
            (*at)->count++;
            continue;
        }
        word *own = malloc(sizeof *own + strlen(text) + 1);
        *own = (word){.next = *at, .count = 1};
        strcpy(own->text, text);
        *at = own;
    }
    for (word *at = first; at; at = at->next) printf("%s %u\n", at->text, at->count);
}
