// problem: messy
#include <iostream>
#include <sstream>
#include <string>
using namespace std;

int main() {
    string line;
    long long total = 0;
    while (getline(cin, line)) {
        istringstream words(line);
        long long x;
        while (words >> x) total += x;
    }
    cout << total << "\r\n";
}
