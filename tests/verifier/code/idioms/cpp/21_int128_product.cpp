// problem: big
#include <bits/stdc++.h>
using namespace std;

string text(__int128 x) {
    if (x == 0) return "0";
    bool negative = x < 0;
    string digits;
    for (; x != 0; x /= 10) digits += char('0' + (int)(negative ? -(x % 10) : x % 10));
    if (negative) digits += '-';
    reverse(digits.begin(), digits.end());
    return digits;
}

int main() {
    long long a, b;
    cin >> a >> b;
    cout << text((__int128)a * b) << endl;
}
