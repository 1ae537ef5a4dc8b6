// problem: huge
#include <cstdio>

static inline int readInt() {
    int c = getchar_unlocked();
    while (c != '-' && (c < '0' || c > '9')) c = getchar_unlocked();
    bool negative = c == '-';
    if (negative) c = getchar_unlocked();
    int x = 0;
    for (; c >= '0' && c <= '9'; c = getchar_unlocked()) x = x * 10 + c - '0';
    return negative ? -x : x;
}

static void writeInt(int x) {
    if (x < 0) {
        putchar_unlocked('-');
        x = -x;
    }
    if (x >= 10) writeInt(x / 10);
    putchar_unlocked('0' + x % 10);
}

int main() {
    for (int n = readInt(); n > 0; n--) {
        writeInt(2 * readInt());
        putchar_unlocked('\n');
    }
    return 0;
}
