// problem: sorted
#include <bits/stdc++.h>

int main() {
    int n;
    scanf("%d", &n);
    std::vector<int> values(n);
    for (int &value : values) scanf("%d", &value);
    std::sort(values.begin(), values.end());
    std::string line;
    for (int value : values) line += std::to_string(value) + " ";
    line.pop_back();
    puts(line.c_str());
}
