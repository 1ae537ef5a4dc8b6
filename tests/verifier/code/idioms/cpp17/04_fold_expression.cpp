// problem: pairs
#include <iostream>
#include <tuple>

template <class... T>
auto largest(T... values) {
    auto best = std::get<0>(std::tie(values...));
    ((best = values > best ? values : best), ...);
    return best;
}

int main() {
    int t;
    if (!(std::cin >> t)) return 0;
    for (int a, b; t-- > 0 && (std::cin >> a >> b);) std::cout << largest(a, b) << std::endl;
}
