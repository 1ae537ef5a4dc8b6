// problem: fib
#include <bits/stdc++.h>

int main() {
    std::unordered_map<int, long long> known{{0, 0}, {1, 1}};
    std::function<long long(int)> fib = [&](int n) -> long long {
        if (auto found = known.find(n); found != known.end()) return found->second;
        long long value = (fib(n - 1) + fib(n - 2)) % 1'000'000'007;
        return known[n] = value;
    };
    int n;
    std::cin >> n;
    std::cout << fib(n) << '\n';
}
