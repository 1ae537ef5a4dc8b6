// problem: sum
#include <bits/stdc++.h>
#include <stdio.h>
#define int long long
using namespace std;
int unused;
signed main() {
    int n, s = 0; register_t r; int x;
    scanf("%lld", &n);
    for (unsigned i = 0; i < n; i++) scanf("%lld", &x), s += x;
    printf("%lld", s);
}