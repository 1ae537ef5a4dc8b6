// problem: messy
#include <iostream>
#define ADD(total, x) \
    do {              \
        total += x;   \
    } while (0)
using namespace std;

int main() {
    long long total = 0;
    for (long long x; cin >> x;) ADD(total, x);
    cout << total << endl;
}
