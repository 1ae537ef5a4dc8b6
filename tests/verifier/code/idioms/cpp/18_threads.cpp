// problem: pairs
#include <bits/stdc++.h>

int main() {
    int t;
    std::cin >> t;
    std::vector<std::pair<int, int>> pairs(t);
    for (auto &[a, b] : pairs) std::cin >> a >> b;
    std::vector<int> results(t);
    std::vector<std::thread> workers;
    for (int w = 0; w < 4; ++w)
        workers.emplace_back([&, w] {
            for (int i = w; i < t; i += 4) results[i] = std::max(pairs[i].first, pairs[i].second);
        });
    for (auto &worker : workers) worker.join();
    for (int result : results) std::cout << result << '\n';
}
