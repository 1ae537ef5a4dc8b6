// problem: words
#include <iostream>
#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>
#include <string>
using namespace __gnu_pbds;

tree<std::string, int, std::less<std::string>, rb_tree_tag, tree_order_statistics_node_update> counts;

int main() {
    std::string word;
    while (std::cin >> word) counts[word]++;
    for (size_t i = 0; i < counts.size(); ++i) {
        auto at = counts.find_by_order(i);
        std::cout << at->first << " " << at->second << "\n";
    }
}
