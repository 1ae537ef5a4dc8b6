// problem: messy
#include <bits/stdc++.h>

long long next() {
    std::string word;
    if (!(std::cin >> word)) throw std::out_of_range("no more words");
    return std::stoll(word);
}

int main() {
    long long total = 0;
    try {
        for (;;) total += next();
    } catch (std::out_of_range const &error) {
        std::cerr << error.what() << std::endl;
    }
    std::cout << total << std::endl;
}
