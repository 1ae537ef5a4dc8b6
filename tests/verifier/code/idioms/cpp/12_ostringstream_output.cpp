// problem: words
#include <bits/stdc++.h>

int main() {
    std::map<std::string, int> counts;
    for (std::string word; std::cin >> word;) ++counts[word];
    std::ostringstream out;
    for (auto const &[word, count] : counts) out << word << ' ' << count << '\n';
    std::cout << out.str() << std::flush;
}
