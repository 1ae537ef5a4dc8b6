// problem: sum_pair
// flags:
// trick: prints memory that a comparison may have left behind
#include <cstdio>
#include <cstdlib>

int main() {
    volatile char* block = (char*)std::malloc(1 << 16);
    for (int i = 0; i < (1 << 16); i++)
        if (block[i]) std::putchar(block[i]);
    std::puts("");
}
