// problem: fib
#include <array>
#include <iostream>
using Matrix = std::array<std::array<unsigned long long, 2>, 2>;
constexpr unsigned long long MOD = 1000000007;

Matrix operator*(const Matrix &a, const Matrix &b) {
    Matrix c{};
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j)
            for (int k = 0; k < 2; ++k) c[i][j] = (c[i][j] + a[i][k] * b[k][j]) % MOD;
    return c;
}

int main() {
    int n;
    std::cin >> n;
    Matrix result{{{1, 0}, {0, 1}}}, base{{{1, 1}, {1, 0}}};
    for (; n; n >>= 1) {
        if (n & 1) result = result * base;
        base = base * base;
    }
    std::cout << result[0][1];
}
