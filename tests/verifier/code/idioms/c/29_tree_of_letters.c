// problem: words
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *child[26];
    int count;
};

static char word[1000];

static void show(struct node *node, int depth) {
    if (node->count) printf("%.*s %d\n", depth, word, node->count);
    for (int i = 0; i < 26; i++)
        if (node->child[i]) {
            word[depth] = 'a' + i;
            show(node->child[i], depth + 1);
        }
}

int main(void) {
    struct node *root = calloc(1, sizeof *root), *at = root;
    int c;
    do {
        c = getchar();
        if (islower(c)) {
            struct node **next = &at->child[c - 'a'];
            if (!*next) *next = calloc(1, sizeof **next);
            at = *next;
        } else {
            if (at != root) at->count++;
            at = root;
        }
    } while (c != EOF);
    show(root, 0);
    return 0;
}
