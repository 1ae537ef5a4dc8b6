// problem: copy
#include <cstdio>
#include <vector>

int main() {
    std::vector<char> buffer(1 << 16);
    size_t got;
    while ((got = fread(buffer.data(), 1, buffer.size(), stdin)) > 0)
        fwrite(buffer.data(), 1, got, stdout);
}
