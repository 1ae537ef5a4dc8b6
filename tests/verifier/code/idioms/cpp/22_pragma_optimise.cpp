// problem: huge
#pragma GCC optimize("O3,unroll-loops")
#ifdef __AVX2__
#pragma GCC target("avx2,bmi,bmi2,lzcnt,popcnt")
#elif defined(__x86_64__)
#pragma GCC target("sse3,ssse3")
#endif
#include <charconv>
#include <cstdio>
#include <cstdlib>
using namespace std;

static char input[1 << 25], output[1 << 25];

int main() {
    size_t size = fread(input, 1, sizeof input - 1, stdin);
    input[size] = 0;
    char *at = input;
    char *end = output;
    long n = strtol(at, &at, 10);
    for (long i = 0; i < n; ++i) {
        long x = 2 * strtol(at, &at, 10);
        end = to_chars(end, output + sizeof output, x).ptr;
        *end++ = '\n';
    }
    fwrite(output, 1, end - output, stdout);
}
