// problem: mean
#include <cstdio>
#include <iostream>
#include <variant>
#include <vector>

int main() {
    unsigned n;
    std::cin >> n;
    std::vector<std::variant<int, double>> values;
    for (unsigned i = 0; i < n; ++i) {
        int x;
        std::cin >> x;
        if (i % 2) values.emplace_back(x); else values.emplace_back(double(x));
    }
    double sum = 0;
    for (auto &value : values) std::visit([&](auto x) { sum += x; }, value);
    std::printf("%.3lf", sum / n);
}
