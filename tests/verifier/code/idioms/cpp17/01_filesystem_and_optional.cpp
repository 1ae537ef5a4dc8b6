// problem: messy
#include <charconv>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

std::optional<long long> number(std::string_view word) {
    long long value = 0;
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return value;
}

int main() {
    long long total = 0;
    for (std::string word; std::cin >> word;)
        if (auto value = number(word)) total += *value;
    std::cout << total << '\n';
}
