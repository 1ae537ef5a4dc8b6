// problem: mean
#include <bits/stdc++.h>

template <std::integral T>
constexpr double mean(std::span<T const> values) {
    double sum = 0;
    for (T value : values) sum += static_cast<double>(value);
    return sum / static_cast<double>(values.size());
}

auto main() -> int {
    std::size_t n{};
    std::cin >> n;
    std::vector<long> values(n);
    for (auto &value : values) std::cin >> value;
    std::printf("%.3f\n", mean<long>(values));
}
