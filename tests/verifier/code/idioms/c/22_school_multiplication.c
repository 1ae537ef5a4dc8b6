// problem: big
#include <stdio.h>
#include <string.h>

int main(void) {
    char a[64], b[64];
    int digits[130] = {0}, negative = 0;
    scanf("%63s %63s", a, b);
    char *x = a, *y = b;
    if (*x == '-') x++, negative ^= 1;
    if (*y == '-') y++, negative ^= 1;
    int m = strlen(x), n = strlen(y);
    for (int i = m - 1; i >= 0; i--)
        for (int j = n - 1; j >= 0; j--) {
            int value = digits[i + j + 1] + (x[i] - '0') * (y[j] - '0');
            digits[i + j + 1] = value % 10;
            digits[i + j] += value / 10;
        }
    int start = 0;
    while (start < m + n - 1 && digits[start] == 0) start++;
    if (negative && digits[start]) fputs("-", stdout);
    while (start < m + n) fputc('0' + digits[start++], stdout);
    fputs("\n", stdout);
    return 0;
}
