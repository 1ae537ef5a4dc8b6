// problem: words
#include <bits/stdc++.h>
using namespace std;

struct Entry {
    string word;
    int count = 1;
    bool operator<(const Entry &other) const { return word < other.word; }
    friend ostream &operator<<(ostream &out, const Entry &entry) {
        return out << entry.word << "\t" << entry.count;
    }
};

int main() {
    vector<Entry> entries;
    string word;
    while (cin >> word) {
        auto found = find_if(entries.begin(), entries.end(), [&](auto &e) { return e.word == word; });
        if (found == entries.end())
            entries.push_back({word});
        else
            found->count++;
    }
    sort(entries.begin(), entries.end());
    for (auto &entry : entries) cout << entry << endl;
}
