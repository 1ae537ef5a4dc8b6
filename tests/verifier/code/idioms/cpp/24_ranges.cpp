// problem: sorted
#include <bits/stdc++.h>

int main() {
    std::size_t n;
    std::cin >> n;
    auto numbers = std::ranges::istream_view<int>(std::cin);
    std::vector<int> values;
    std::ranges::copy(numbers, std::back_inserter(values));
    values.resize(n);
    std::ranges::sort(values);
    for (int value : values | std::views::take(n)) std::cout << value << ' ';
    std::cout << "\n\n";
}
