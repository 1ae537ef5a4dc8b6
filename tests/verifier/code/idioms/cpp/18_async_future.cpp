// problem: mean
#include <bits/stdc++.h>

int main() {
    size_t n;
    std::cin >> n;
    std::vector<double> values(n);
    for (double &value : values) std::cin >> value;
    auto sum = std::async(std::launch::async, [&] { return std::accumulate(values.begin(), values.end(), 0.0); });
    std::cout << std::fixed << std::setprecision(3) << sum.get() / n << std::endl;
}
