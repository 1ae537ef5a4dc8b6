// problem: sorted
#include <bits/stdc++.h>
using namespace std;
#define all(x) (x).begin(), (x).end()
#define pb push_back
#define fast ios::sync_with_stdio(0); cin.tie(0);
template <class T> istream &operator>>(istream &in, vector<T> &v) { for (auto &x : v) in >> x; return in; }
template <class T> ostream &operator<<(ostream &out, const vector<T> &v) { for (auto &x : v) out << x << " "; return out; }

void solve() {
    int n;
    cin >> n;
    vector<int> v(n);
    cin >> v;
    sort(all(v));
    cout << v << "\n";
}

signed main() {
    fast;
    int t = 1;
    while (t--) solve();
    return 0;
}
