// problem: copy
#include <unistd.h>

int main(void) {
    char block[65536];
    for (;;) {
        ssize_t got = read(0, block, sizeof block);
        if (got <= 0) break;
        char *at = block;
        while (got > 0) {
            ssize_t put = write(1, at, got);
            if (put < 0) return 1;
            at += put;
            got -= put;
        }
    }
    return 0;
}
