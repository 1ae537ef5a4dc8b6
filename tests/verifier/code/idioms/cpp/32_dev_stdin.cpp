// problem: messy
#include <fstream>
#include <iostream>

int main() {
    std::ifstream in("/dev/stdin");
    long long total = 0;
    for (long long x; in >> x;) total += x;
    std::ofstream("/dev/stdout") << total << '\n';
}
