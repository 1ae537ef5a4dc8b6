// problem: sum
#include <iostream>
using namespace std;

int main() {
    long long values[4000000];
    int n;
    cin >> n;
    long long sum = 0;
    for (int i = 0; i < n; ++i) cin >> values[i];
    for (int i = 0; i < n; ++i) sum += values[i];
    cout << sum;
}
