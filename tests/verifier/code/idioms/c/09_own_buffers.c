// problem: huge
#include <stdio.h>
#include <string.h>

static char in[1 << 16], out[1 << 16];
static size_t in_at, in_end, out_at;

static int next(void) {
    if (in_at == in_end) {
        in_end = fread(in, 1, sizeof in, stdin);
        in_at = 0;
        if (in_end == 0) return -1;
    }
    return (unsigned char)in[in_at++];
}

static void put(char c) {
    if (out_at == sizeof out) {
        fwrite(out, 1, out_at, stdout);
        out_at = 0;
    }
    out[out_at++] = c;
}

static int number(void) {
    int c = next(), sign = 1, x = 0;
    while (c != '-' && (c < '0' || c > '9')) c = next();
    if (c == '-') sign = -1, c = next();
    for (; c >= '0' && c <= '9'; c = next()) x = 10 * x + (c & 15);
    return sign * x;
}

int main(void) {
    int n = number();
    while (n--) {
        char text[16];
        int length = sprintf(text, "%d", 2 * number());
        for (int i = 0; i < length; i++) put(text[i]);
        put('\n');
    }
    fwrite(out, 1, out_at, stdout);
    return 0;
}
