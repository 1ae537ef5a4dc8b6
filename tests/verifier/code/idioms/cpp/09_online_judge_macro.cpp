// problem: pairs
#include <bits/stdc++.h>
using namespace std;
#define rep(i, n) for (int i = 0; i < (int)(n); ++i)
typedef long long ll;

int main() {
#ifndef ONLINE_JUDGE
    freopen("input.txt", "r", stdin);
    freopen("output.txt", "w", stdout);
#endif
    int t;
    cin >> t;
    rep(i, t) {
        ll a, b;
        cin >> a >> b;
        cout << max(a, b) << "\n";
    }
    return 0;
}
